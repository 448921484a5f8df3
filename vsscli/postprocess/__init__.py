"""Correction of confusable classes by a vision-language model (section 2.5 of the paper).

Three steps: *plan* finds regions to ask about and makes questions, *ask* gets answers and keeps them in the run,
*apply* writes label maps and needs no network.
"""

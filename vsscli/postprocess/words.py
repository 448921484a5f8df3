"""English words by what they do to an answer, for `parse`. What is in none of these lists is taken for an adjective."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARTICLES = _words("a an the some one")
#: May stand between the verb and the article.
ADVERBS = _words(
    "most more very likely probably clearly definitely certainly obviously evidently indeed actually simply just "
    "really best apparently presumably undoubtedly surely"
)
#: May stand before a bare answer: "So the final answer is: lake".
LEADS = _words(
    "here the only final correct best my answer choice option class is would be yes so therefore thus : - assistant i "
    "choose pick select say go"
)

#: In front of a class, in the same clause, they take it back.
DENIALS = _words(
    "not no never nor neither none without cannot hardly barely scarcely unlikely doubt doubtful wrong incorrect false "
    "mistake mistaken confused unlike instead opposed except excluding excluded exclude excludes rule rules ruled lack "
    "lacks than worst least bad example non deny denies impossible fails fail nothing nobody far other another"
)
#: A class behind them is a thought, not an answer.
THOUGHTS = _words(
    "might could may maybe perhaps possibly possible potentially if whether unless either suppose supposing assuming "
    "some many others once formerly used was were been said called named titled labeled labelled says imagine pretend "
    "should shall will had wish hope expected expect first second third initially almost nearly"
)
#: With these, a class is one of several.
MAYBE = _words("may might could maybe perhaps possibly either")
#: Who holds an opinion must be the model itself: "I think it is a lake".
OPINIONS = _words("say think believe guess assume")
#: Conditions and doubts reach to the end of their sentence.
CONDITIONS = _words("if whether unless either suppose supposing assuming neither imagine")
#: Anywhere, they make the whole answer unsure.
UNSURE = (
    "not sure", "unsure", "uncertain", "unclear", "unable", "not able", "ambiguous", "not possible", "impossible to",
    "hard to", "difficult to", "cannot", "can not", "not clear", "not enough", "insufficient", "sorry", "not true",
    "language model", "not the case", "not certain", "none of", "no idea", "not know", "not visible", "not see",
    "not contain", "as an ai", "depends", "depending", "toss up", "not provide", "too dark",
    "too blurry", "no water", "not present",
)  # fmt: skip
#: Behind a class, in its sentence, they may take it back.
CONTRASTS = _words(
    "but however yet though although actually wait nevertheless nonetheless otherwise alternatively except"
)
#: At the head of a later sentence they take back what was said before.
TAKE_BACK = CONTRASTS | _words("correction still hmm no scratch rather reconsidering oh ah or on")
#: Where a clause begins.
CLAUSES = _words("but because since as so while whereas , ; :")
#: Follow a bare answer: "Lake, because ...".
REASONS = _words("because since as given due not rather")
#: Between the members of a list.
LISTING = _words("or and / , ( a an the maybe possibly perhaps even also")
#: A thing near another one is not what was asked for.
BESIDE = _words(
    "next beside behind near adjacent around surrounding along alongside nearby beyond opposite toward towards left "
    "right besides former latter front"
)
PREPOSITIONS = BESIDE | _words(
    "of in on at by with from to into onto over under through across between among against inside outside above below "
    "like for about within upon off per via during after before as"
)
#: End what may stand between the verb and the class.
BREAKS = PREPOSITIONS | _words(
    "and or but that which who where when while because since is are be being been it this these those he she they we "
    "you i there has have had does do did can will would if than not so : ; ? ! - / ( )"
)
#: May follow a class that is the answer. Other words make it a part of something else: a lake house, a road sign.
FOLLOWERS = (PREPOSITIONS - {"of"}) | _words(
    "and or but because since which that where while rather not due given based so is are has was can here itself "
    "lying sitting walking visible seen shown located situated surrounded enclosed bordered flanked lined covered "
    "filled made parked driving standing moving flowing running winding leading passing stretching going crossing "
    "visible featured depicted pictured too instead although though however yet under , : ; . ! ) ( -"
)
#: Pictures show; what they show is the answer where nothing else is named.
PICTURES = _words("image picture photo photograph frame scene there here")
ELSEWHERE = _words("also another background distance far foreground corner besides additionally several other")

#: Before another noun they make a third thing of it: a river bed, a tree house, a toy car.
COMPOUNDS = _words("river lake sea ocean tree flower toy model miniature fake dog cat bird hot")
ANSWERS = _words("answer fit choice option match description")

#: What says that something is a class, longest first.
VERBS = tuple(
    tuple(verb.split())
    for verb in (
        "can be best described as", "is best described as", "can be described as", "can be identified as",
        "can be classified as", "is classified as", "is identified as", "looks most like", "looks more like",
        "is likely to be", "is most likely to be", "appears most likely to be", "most likely appears to be",
        "appears to be", "seems to be", "looks to be", "appear to be", "seem to be", "looks like", "look like",
        "must be", "is", "are",
    )
)  # fmt: skip
SHOWS = tuple((verb,) for verb in sorted(_words("shows show features feature depicts depict displays display is are")))

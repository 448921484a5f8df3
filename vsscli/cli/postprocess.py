"""``vsscli postprocess``."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from vsscli.cli.options import EXECUTION, IDENTITY, Address, Engine, Out, Shard, Split, Videos, Workers
from vsscli.cli.talk import finish, say, visible, warn
from vsscli.errors import OptionError
from vsscli.words import plural

if TYPE_CHECKING:
    from vsscli.postprocess.ask import AskResult
    from vsscli.postprocess.correct import Rejected
    from vsscli.postprocess.plan import Planner
    from vsscli.postprocess.profiles import Profile
    from vsscli.postprocess.question import Question


class Limits(NamedTuple):
    """What holds while asking; the names are those of `ask`."""

    budget: float
    threads: int
    rate: float | None
    timeout: float

    def checked(self) -> "Limits":
        """These limits; OptionError for those that are none."""
        for name, value in (("rate", self.rate), ("timeout", self.timeout)):
            if value is not None and not 1e-3 <= value < 1e9:
                raise OptionError(f"--{name} {value:g} is too little or too much.", "Give a number above 0.")
        return self


def _option(*names: str, help: str, panel: str = IDENTITY) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(*names, help=help, show_default=False, rich_help_panel=panel)
    return info


Data = Annotated[Path, _option("--data", help="The dataset the run was made from.")]
Llm = Annotated[
    str, _option("--llm", help="Who is asked: gpt-4, gpt-4o, llava (a server on this machine), or a YAML file.")
]
BaseUrl = Annotated[
    str | None, _option("--base-url", help="Another server of the OpenAI protocol, such as http://127.0.0.1:8000/v1.")
]
LlmModel = Annotated[str | None, _option("--llm-model", help="Another model of that server.")]
Local = Annotated[
    str | None,
    _option("--local", help="With --llm llava: a model folder (or cached hub id), asked in this process."),
]
GroupsFile = Annotated[
    Path | None, _option("--groups", help="Groups of confusable classes: a copy of prompts/groups.csv.")
]
PromptFile = Annotated[
    Path | None,
    _option(
        "--prompt", help="The question: a copy of prompts/question_outlined.txt (question.txt with --image plain)."
    ),
]
Priority = Annotated[
    int,
    typer.Option(min=1, max=9, help="Take the groups of priorities 1 to N.", rich_help_panel=IDENTITY),
]
When = Annotated[
    str,
    typer.Option(
        help="Ask about regions that are of several classes or flip (mixed), or about all regions of the groups.",
        rich_help_panel=IDENTITY,
    ),
]
ImageKind = Annotated[
    str,
    typer.Option(
        "--image", help="The region outlined and the rest dimmed, or plain frames, as in the paper.",
        rich_help_panel=IDENTITY,
    ),
]  # fmt: skip
MinArea = Annotated[
    float, typer.Option(help="Ask about regions that cover at least this share of the frame.", rich_help_panel=IDENTITY)
]
MinFrames = Annotated[
    int, typer.Option(min=1, help="Ask about regions that are in so many frames.", rich_help_panel=IDENTITY)
]
Majority = Annotated[
    float, typer.Option(help="The share of the votes that the winner needs.", rich_help_panel=IDENTITY)
]
MinAnswers = Annotated[
    int, typer.Option(help="How many of the three answers must name a class.", rich_help_panel=IDENTITY)
]
MinConfidence = Annotated[
    float,
    typer.Option(help="The mean probability that the winner needs, where a model tells any.", rich_help_panel=IDENTITY),
]
MaxShare = Annotated[
    float, typer.Option(help="At most this share of a video's pixels changes.", rich_help_panel=IDENTITY)
]
Budget = Annotated[
    float, typer.Option(metavar="USD", help="What may be spent on this call.", rich_help_panel=EXECUTION)
]
Prices = Annotated[
    Path | None, _option("--prices", help="Prices of models: a copy of prompts/prices.yaml.", panel=EXECUTION)
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask nobody: only answers that are there count.", rich_help_panel=EXECUTION)
]
Reject = Annotated[
    str | None,
    _option(
        "--reject",
        help="VIDEO/REGION,...: leave these regions as they were. Videos that this concerns are made again.",
        panel=EXECUTION,
    ),
]
Threads = Annotated[int, typer.Option(min=1, max=64, help="Questions on their way at once.", rich_help_panel=EXECUTION)]
Rate = Annotated[
    float | None, _option("--rate", help="At most so many questions a minute. Default: no limit.", panel=EXECUTION)
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Ask nobody: count, and show questions in OUT.questions.", rich_help_panel=EXECUTION
    ),
]
Timeout = Annotated[float, typer.Option(help="Seconds that a server may stay silent.", rich_help_panel=EXECUTION)]


def postprocess(
    run: Annotated[Path, typer.Argument(help="The run to correct; it is not changed.")],
    data: Data,
    llm: Llm,
    out: Out,
    split: Split = "val",
    base_url: BaseUrl = None,
    llm_model: LlmModel = None,
    local: Local = None,
    groups: GroupsFile = None,
    prompt: PromptFile = None,
    priority: Priority = 1,
    when: When = "mixed",
    image: ImageKind = "outlined",
    min_area: MinArea = 0.01,
    min_frames: MinFrames = 3,
    majority: Majority = 0.66,
    min_answers: MinAnswers = 2,
    min_confidence: MinConfidence = 0.5,
    max_share: MaxShare = 0.6,
    budget: Budget = 5.0,
    prices: Prices = None,
    offline: Offline = False,
    reject: Reject = None,
    threads: Threads = 4,
    rate: Rate = None,
    timeout: Timeout = 60.0,
    videos: Videos = None,
    shard: Shard = None,
    workers: Workers = None,
    engine: Engine = "local",
    address: Address = None,
    dry_run: DryRun = False,
) -> None:
    """Correct classes that are easily confused (river, lake or sea?) by asking a vision-language model.

    Regions of a group of such classes are followed through each video; where
    several classes of the group touch, or a region's class flips, three frames of
    the region are shown to the model, which chooses among the group's classes or
    none. Where a clear majority of the answers agrees, the region takes that class
    in the whole video. Nothing else changes.

    --dry-run asks nobody: it counts requests, tokens and dollars, and shows the
    questions with their images in OUT.questions. A key comes from the environment
    (OPENAI_API_KEY). Answers are kept in OUT: the same command again asks only what
    is unanswered; a video with unanswered questions is unchanged until then, and
    the exit code is 1. --reject takes regions back. See 'vsscli guide correction'.

    Example: vsscli postprocess runs/vote --data VSPW_480p --llm gpt-4 --out runs/corrected --dry-run
    """
    from vsscli.data.open import open_dataset
    from vsscli.engine import cores, find_cluster, plan, produce, select_videos
    from vsscli.postprocess.correct import check_rejected, class_table, parse_rejected, returning, videos_to_ask
    from vsscli.postprocess.groups import read_groups
    from vsscli.postprocess.plan import Planner
    from vsscli.postprocess.profiles import load_profile
    from vsscli.postprocess.rules import Rules
    from vsscli.postprocess.stage import CorrectStage
    from vsscli.postprocess.wording import read_wording
    from vsscli.runs.run import open_run
    from vsscli.runs.source import check_source

    if shard is not None and not offline:
        raise OptionError(
            "--shard asks from several processes, and each would have a budget of its own.",
            "Ask with one call, without --shard; shards can apply its answers with --offline.",
        )
    limits = Limits(budget, threads, rate, timeout).checked()
    cluster = find_cluster(engine, address)
    if prices is not None and not os.path.isfile(prices):  # noqa: PTH113 (False also for names that can be none)
        raise OptionError(f"--prices {prices} is no file.", "Give a copy of prompts/prices.yaml, or leave it out.")
    rules = Rules(when, image, min_area, min_frames, majority, min_answers, min_confidence, max_share)
    source, dataset = open_run(run), open_dataset(data, split)
    table = class_table(source, dataset)
    planner = Planner(source, dataset, read_groups(groups, table, priority), read_wording(prompt, image), rules)
    profile = load_profile(llm, base_url=base_url, model=llm_model, local=local, prices=prices)
    rejected = parse_rejected(reject, source)
    check_rejected(out, rejected)
    chosen = select_videos(source.names(), videos, shard)
    check_source(dataset, [source], chosen if videos is not None else source.names(), chosen)
    count = workers or cores()

    def stage() -> CorrectStage:
        return CorrectStage(planner, profile, out, rejected, table)

    back = returning(out, chosen, rejected)
    if back:
        warn(f"--reject names {', '.join(back)} no more: what had been taken back is changed again.")
    asking = videos_to_ask(out, *plan(stage(), out, chosen))
    if dry_run:
        _preview(planner, profile, out, asking, count, rejected)
        if llm_model is not None and local is None:
            say(f"dry run: what a picture takes is that of another model: for {llm_model} it may be many times more.")
        return
    if not offline:
        _ask(planner, profile, out, asking, count, rejected, limits)
    devices = cluster.devices("cpu", workers) if cluster else ["cpu"] * count
    outcome = produce(stage(), out, chosen, devices, cluster)
    finished = sorted([*outcome.done, *outcome.before])
    try:
        finish(outcome, out, "postprocess")
    finally:  # some videos may have failed: of the others it is told all the same
        if finished and not outcome.interrupted:
            _report(planner, out, finished, count)
    _end_unanswered(out, finished, offline)


def _preview(
    planner: "Planner", profile: "Profile", out: Path, videos: list[str], workers: int, rejected: "Rejected"
) -> None:
    """The answer of ``--dry-run``."""
    from vsscli.postprocess.answers import AnswerStore
    from vsscli.postprocess.correct import missing_questions
    from vsscli.postprocess.preview import preview_folder, write_preview

    folder = preview_folder(out)
    with missing_questions(planner, profile.asked, AnswerStore(out), videos, workers, rejected) as missing:
        estimate = profile.estimate(write_preview(folder, missing))
    say(f"dry run: {plural(len(videos), 'video')} looked at; nobody was asked.")
    if missing.known:
        say(f"dry run: {plural(missing.known, 'question')} had been answered before.")
    usd = "a price that is not known" if estimate.usd is None else f"{estimate.usd:.2f} USD"
    tokens = f"about {estimate.tokens_in:,} tokens in and {estimate.tokens_out:,} out, {usd}"
    say(f"dry run: {plural(estimate.requests, 'request')}, {tokens}.")
    here = "The model is asked in this process." if profile.local else f"{profile.base_url}, on this machine, is asked."
    say(f"dry run: {profile.told or here}")
    if estimate.usd is None:
        say("dry run: without a price it would be refused: give --prices FILE, or a price in a profile of your own.")
    say(f"dry run: nothing was written but {folder}: to look at the questions, read questions.jsonl there, a line")
    say("         each, which names its image in the same folder (any viewer shows it).")


def _ask(
    planner: "Planner",
    profile: "Profile",
    out: Path,
    videos: list[str],
    workers: int,
    rejected: "Rejected",
    limits: "Limits",
) -> None:
    """Asks what is unanswered, and says what came of it; nobody is contacted where all is answered."""
    from vsscli.postprocess.answers import AnswerStore
    from vsscli.postprocess.ask import ask, check
    from vsscli.postprocess.correct import ask_missing

    store = AnswerStore(out)

    def put(questions: "Iterable[Question]", progress: "Callable[[AskResult], None]") -> "AskResult":
        check(profile, limits.budget)  # nobody is told that pictures leave where none will
        if profile.told:
            say(f"postprocess: {profile.told}")
        return ask(questions, profile, store, progress=progress, **limits._asdict())

    result = ask_missing(planner, profile.asked, store, videos, workers, rejected, put)
    if result is None:
        return
    spent = f", {result.usd:.2f} USD" if profile.remote or profile.price is not None else ""
    models = f" by {', '.join(result.models)}" if result.models else ""
    refused = f", {result.refused} of them refused" if result.refused else ""
    abstained = f" ({result.abstained} name no class{refused})" if result.abstained else ""
    say(f"postprocess: {plural(result.asked, 'question')} answered{models}{abstained}{spent}.")
    for note in result.notes:
        say(f"postprocess: {note}")
    if result.failed:
        last = f"; the last one: {result.failure}" if result.failure else ""
        warn(f"{plural(result.failed, 'question')} got no answer{last}")
    if result.stopped:
        warn(f"no more was asked: {result.stopped}")


def _report(planner: "Planner", out: Path, videos: list[str], workers: int) -> None:
    """Decisions, on stdout; what they are worth where there are masks."""
    from vsscli.postprocess import effect, screen
    from vsscli.postprocess.correct import finished_records
    from vsscli.postprocess.facts import read_regions
    from vsscli.runs.run import open_run

    regions = [region for record in finished_records(out, videos) for region in read_regions(out, record)]
    print("\n".join(map(visible, screen.decision_lines(regions))))
    masked = effect.masked_videos(planner.dataset, planner.run, videos)
    if masked:
        lines = effect.measure(planner.dataset, planner.run, open_run(out), planner.groups, masked, workers)
        print("\n" + "\n".join(screen.effect_lines(lines, len(masked))))
        *groups, everything = lines
        if everything.hurt > everything.helped:
            bad = ", ".join(line.name for line in groups if line.hurt > line.helped)
            warn(f"on these masks more pixels were hurt than helped ({bad}): --reject takes regions back.")


def _end_unanswered(out: Path, videos: list[str], offline: bool) -> None:
    """Exit code 1 where questions are unanswered."""
    from vsscli.postprocess.correct import finished_records
    from vsscli.postprocess.facts import count_unanswered

    open_ends = [record for record in finished_records(out, videos) if count_unanswered(record)]
    if open_ends:
        count = sum(map(count_unanswered, open_ends))
        what = "without --offline" if offline else "(each call has the whole --budget)"
        more = ", ..." if len(open_ends) > 1 else ""
        say(
            f"postprocess: {plural(count, 'question')} about {plural(len(open_ends), 'video')} unanswered: they are as "
            f"they were ({open_ends[0].video}{more}). The same command {what} asks again."
        )
        raise typer.Exit(1)

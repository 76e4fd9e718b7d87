"""Writes the generated parts of docs/safety.md and docs/safety-rules.md: how well danger signs are found, and the rules.

    python -m tools.safety_figures [--report REPORT.json]... [--print] [WRITER.toml]...
    python -m tools.safety_figures --rules

Without files the test writers' wordings are read: no pack was made from them. Each goes, as true text, through a
conversation of its own. `--report` adds the figures of spoken tests, as `backtalk evaluate --out` left them.
"""

# ruff: noqa: E402
from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import click

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # as in voice.cli: before numpy is first imported
    os.environ.setdefault(_name, "1")

from intents.conversation import Conversation
from intents.heard import Heard
from intents.pack import bundled, read_wordings
from intents.schema import PROVIDER_SOON, URGENT
from intents.understand import ENCODER, HEAD, Understander
from intents.urgent_schema import RuleTable, SuppressTable, UrgentFile, read_file
from tools.markdown import table
from tools.train_encoder.finish import SEEN, WRITERS
from voice.commands.examples import manifest_line
from voice.evaluate.bounds import at_least, at_most
from voice.evaluate.manifest import Line
from voice.evaluate.result import Result, from_json

ROOT = Path(__file__).resolve().parents[1]
SAFETY, RULES = ROOT / "docs" / "safety.md", ROOT / "docs" / "safety-rules.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
SIGNS = (*URGENT, PROVIDER_SOON)
GROUPS = ("writer", "condition", "voice", "room", "noise")
"""Keys by which spoken results are split, where the manifest has them."""
CUES_SHOWN = 6

Test = Callable[[Result], bool]


def replies(understander: Understander, writers: Sequence[Path]) -> list[Result]:
    """Every wording of the writers as typed text, each in a new conversation."""
    results: list[Result] = []
    for example in (example for path in writers for example in read_wordings(path)):
        line = manifest_line(example)
        extra = {key: line[key] for key in ("writer", "counter", "topic") if key in line}
        reply = Conversation(understander).reply(Heard.from_text(example.text))
        fields = {"action": reply.action, "intent": reply.intent, "choices": reply.choices, "urgent": reply.urgent}
        number = len(results) + 1
        results.append(Result(Line(number, str(line["label"]), str(line["kind"]), example.text, None, extra), fields))
    return results


def found(result: Result) -> bool:
    """The sign was found."""
    return result.outcome == "found"


def found_or_asked(result: Result) -> bool:
    """The sign was found, or asked back about."""
    return result.outcome in ("found", "asked")


def false_warning(result: Result) -> bool:
    """Warned without a sign."""
    return result.false_warning


def needless_question(result: Result) -> bool:
    """Asked back about a sign."""
    return result.asks_about_danger


def share(results: Sequence[Result], test: Test, *, more_is_better: bool) -> str:
    """ "97.1 % of 104, at least 93.2 %" """
    tried = len(results)
    if not tried:
        return "-"
    hits = sum(map(test, results))
    bound = at_least(hits, tried) if more_is_better else at_most(hits, tried)
    side = "≥" if more_is_better else "≤"
    return f"{hits} of {tried} = {hits / tried:.1%} ({side} {bound:.1%})"


def signs(results: Iterable[Result], *wanted: str) -> list[Result]:
    """The results for lines with one of these signs."""
    return [one for one in results if one.line.kind == "urgent" and one.line.label in wanted]


def calm(results: Iterable[Result], *, counter: bool) -> list[Result]:
    """The results for lines without a sign; `counter`: with danger words, else without."""
    return [one for one in results if one.line.kind != "urgent" and bool(one.line.counter) is counter]


def by_group(results: Sequence[Result], key: str) -> dict[str, list[Result]]:
    """Results by a key of the manifest; those without the key are left out."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        if (value := result.line.extra.get(key)) is not None:
            groups.setdefault(str(value), []).append(result)
    return dict(sorted(groups.items()))


def recall_table(groups: dict[str, list[Result]]) -> str:
    """A row a group: how many signs were found."""
    head = ("", "any urgent sign, found", "found or asked back", *(f"`{sign}`" for sign in SIGNS))
    return table(
        head,
        (
            (
                name,
                share(signs(results, *URGENT), found, more_is_better=True),
                share(signs(results, *URGENT), found_or_asked, more_is_better=True),
                *(share(signs(results, sign), found, more_is_better=True) for sign in SIGNS),
            )
            for name, results in groups.items()
        ),
    )


def calm_table(groups: dict[str, list[Result]]) -> str:
    """A row a group: how often there was no need."""
    head = (
        "",
        "warned: danger words without danger",
        "warned: ordinary",
        "asked back: danger words",
        "asked back: ordinary",
    )
    return table(
        head,
        (
            (
                name,
                *(
                    share(calm(results, counter=counter), test, more_is_better=False)
                    for test in (false_warning, needless_question)
                    for counter in (True, False)
                ),
            )
            for name, results in groups.items()
        ),
    )  # fmt: skip


def listed(results: Sequence[Result], *, spoken: bool = False) -> Iterator[str]:
    """Every known miss and every known false warning, a line each."""
    missed = [one for one in results if one.line.kind == "urgent" and not found(one)]
    needless = [one for one in results if false_warning(one)]
    for title, some in (("Missed, or only asked back about", missed), ("Warned without need", needless)):
        yield f"\n{title}: {len(some)}\n"
        for one in sorted(
            some, key=lambda one: (one.line.label, str(one.line.extra.get("writer")), one.line.text or "")
        ):
            heard = f" → heard “{one.transcript}”" if spoken else ""
            where = f", {one.line.extra.get('condition')}" if spoken and one.line.extra.get("condition") else ""
            asked = " (asked back)" if one.outcome == "asked" else ""
            yield f"- `{one.line.label}`, {one.line.extra.get('writer')}{where}: “{one.line.text}”{heard}{asked}"


def stamp(understander: Understander, writers: Sequence[Path]) -> str:
    """What was measured: the first letters of the fingerprints of everything that decides."""
    files = [ENCODER, *(folder / name for folder in [pack.folder for pack in understander.packs] for name in (HEAD, "urgent.toml"))]  # fmt: skip
    marks = [f"{path.parent.name}/{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:10]}" for path in files]
    return f"Measured with {', '.join(marks)}; writers: {', '.join(path.stem for path in writers)}."


def text_section(results: Sequence[Result], about: str) -> str:
    """The part of docs/safety.md on typed text."""
    fresh = [one for one in results if one.line.extra.get("writer") not in SEEN]
    groups = {"writers that nobody looked at": fresh, **by_group(results, "writer")}
    groups = {f"{name} (looked at)" if name in SEEN else name: some for name, some in groups.items()}
    return "\n".join(
        [
            "### True text",
            "",
            about,
            "",
            recall_table(groups),
            "",
            calm_table(groups),
            *listed(results),
        ]
    )


def spoken_section(path: Path) -> str:
    """Figures of one report of `backtalk evaluate`. Raises click.ClickException when it has another shape."""
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        results = [from_json(one) for one in report["utterances"]]
        header = report["header"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{path} is not a report of backtalk evaluate: {error}") from error
    results = [one for one in results if one.error is None]
    wordings = {one.line.text for one in signs(results, *URGENT)}
    parts = [
        f"### Spoken: {Path(str(header['manifest'])).name}{', ' + header['only'] if header.get('only') else ''}",
        "",
        f"{header['date']}, fingerprint {str(header['fingerprint of code, packs and model'])[:10]}. Urgent recordings are of"
        f" {len(wordings)} different wordings; bounds take them as independent, which they are not.",
        "",
    ]
    for key in GROUPS:
        groups = {"all": results, **by_group(results, key)} if key == GROUPS[0] else by_group(results, key)
        if groups:
            parts += [f"By {key}:", "", recall_table(groups), "", calm_table(groups), ""]
    return "\n".join([*parts, *listed(results, spoken=True)])


# --- the rules, for clinicians


def rules_page(files: dict[str, UrgentFile]) -> str:
    """docs/safety-rules.md."""
    parts = [
        "# The danger signs, for review",
        "",
        "Made from each pack's `urgent.toml` by `python -m tools.safety_figures --rules`; don't edit it here. No clinician has reviewed it yet.",
        "Every example and counter-example is a test. A rule finds many more wordings than its examples; what was learned from wordings (see",
        "[safety.md](safety.md)) finds signs that no rule does, and may turn a rule's warning into a question back.",
    ]
    for name, file in files.items():
        head = ("rule", "sign", "must warn", "must not warn", "source")
        parts += ["", f"## {name}", "", table(head, (_rule(rule) for rule in file.rule))]
        if file.suppress:
            head = ("reason", "the cue stands", "such as", "but warns when near it stands", "signs")
            parts += ["", "### What takes a warning back", "", table(head, (_suppress(one) for one in file.suppress))]
        if file.confusion:
            rows = ((one.said, ", ".join(one.heard)) for one in file.confusion)
            parts += [
                "", "### Mishearings that count, in a fitting context", "", table(("said", "heard as"), rows)
            ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _rule(rule: RuleTable) -> tuple[str, ...]:
    sign = f"`{rule.sign}`"
    if rule.when_gradual:
        sign += f"; gradual: `{rule.when_gradual}`"
    if rule.when_sudden:
        sign += f"; sudden: `{rule.when_sudden}`"
    return rule.id, sign, "; ".join(rule.examples), "; ".join(rule.counter_examples), rule.source


def _suppress(one: SuppressTable) -> tuple[str, ...]:
    reason = one.reason + (f" (doubt only: {one.lowers_to:g})" if one.lowers_to is not None else "")
    where = f"{one.where}, within {one.within} words" if one.where != "over" else "over the sign"
    return reason, where, _some(one.cues), _some(one.unless), ", ".join(one.signs) or "all"


def _some(patterns: Sequence[str]) -> str:
    shown = "; ".join(f"`{pattern}`" for pattern in patterns[:CUES_SHOWN])
    return shown + (f" and {len(patterns) - CUES_SHOWN} more" if len(patterns) > CUES_SHOWN else "") or "-"


def rule_files() -> dict[str, UrgentFile]:
    """The bundled packs' rule files by the pack's folder."""
    paths = [folder / "urgent.toml" for folder in bundled()]
    return {path.parent.name: read_file(path) for path in paths if path.exists()}


def between(page: str, text: str) -> str:
    """The page with `text` between the marks. Raises click.ClickException when a mark is missing."""
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise click.ClickException(f"docs/safety.md has no single pair of marks {BEGIN} and {END}.")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}"


@click.command()
@click.argument("writers", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--report", "reports", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--print", "only_print", is_flag=True, help="Print the figures and write nothing.")
@click.option("--rules", "only_rules", is_flag=True, help="Write docs/safety-rules.md and nothing else.")
def main(writers: tuple[Path, ...], reports: tuple[Path, ...], only_print: bool, only_rules: bool) -> None:
    """Write the figures into docs/safety.md, and the rules into docs/safety-rules.md."""
    if not only_print:
        RULES.write_text(rules_page(rule_files()), encoding="utf-8")
    if only_rules:
        return
    writers = writers or tuple(sorted(WRITERS.glob("*.toml")))
    understander = Understander.load()
    results = replies(understander, writers)
    spoken = [spoken_section(path) for path in reports]
    text = "\n\n".join([text_section(results, stamp(understander, writers)), *spoken])
    if only_print:
        click.echo(text)
        return
    SAFETY.write_text(between(SAFETY.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()

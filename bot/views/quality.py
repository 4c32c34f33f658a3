"""What supervisors see of examiners' quality, and what an examiner is told after a known-answer case."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.views.blocks import Block, context, header, literal, section
from policy.known_answers import Proportion, Rates, Verdict
from policy.model import Conclusion, Examination, Label, Search

__all__ = ["Block", "feedback", "figures"]

MOST = 40
ENOUGH = 10  # shared examinations before always agreeing is a signal
HOW = {
    Verdict.RIGHT: "Your opinion was right.",
    Verdict.WRONG_PERSON: "Your opinion named somebody who is not the person in the photograph.",
    Verdict.MISSED: "Your opinion named nobody, and the person was among the candidates.",
    Verdict.INCONCLUSIVE: "Your opinion was inconclusive.",
}
SAID = {Conclusion.INCONCLUSIVE: "inconclusive", Conclusion.NO_POSSIBLE_MATCH: "no possible match"}


def feedback(search: Search, mine: Examination, truth: Label | None, verdict: Verdict) -> tuple[str, list[Block]]:
    """To one examiner alone, once every opinion on the case is locked."""
    assert mine.conclusion is not None, "feedback on an open opinion"
    answer = f"candidate {truth} is the person" if truth else "the person is not among the candidates"
    said = SAID.get(mine.conclusion, f"possible match, candidate {mine.candidate}")
    text = f"Examination {search.id} was a known-answer case"
    return text, [
        section(f"*{text}.* Its answer: {answer}. You said: {said}.\n*{HOW[verdict]}*"),
        context("No lead comes of it, and it is counted in no statistics but the unit's error rates."),
    ]


def figures(
    in_a_hundred: float,
    left: int,
    rates: Sequence[Rates],
    dwell: Sequence[Mapping[str, Any]],
    pairs: Sequence[Mapping[str, Any]],
) -> list[Block]:
    """For supervisors: rates with their intervals by unit, and signals that an opinion may be none."""
    return [
        header("Examiners' quality"),
        context(f"{in_a_hundred:g} known-answer cases in a hundred examinations · {left} cases are left to be given"),
        *([section(_unit(one)) for one in rates[:MOST]] or [section("No known-answer case was concluded yet.")]),
        section(f"*Time taken*\n{_lines([_dwell(row) for row in dwell])}"),
        section(f"*Pairs that always agree* (of {ENOUGH} shared examinations or more)\n{_lines(_agreeing(pairs))}"),
        context("95 % intervals after Wilson. A signal is a reason to look, never a finding."),
    ]


def _unit(rates: Rates) -> str:
    return (
        f"*{literal(rates.unit) or 'No unit recorded'}*\n"
        f"False positives: {_proportion(rates.false_positives)} of the opinions where the person was not there\n"
        f"Misses: {_proportion(rates.misses)} of the opinions where the person was there "
        f"(in {rates.wrong_person} of them somebody else was named)"
    )


def _proportion(of: Proportion) -> str:
    if of.rate is None:
        return "none of none"
    low, high = of.interval
    return f"{of.errors} of {of.trials} = {of.rate:.1%} [{low:.1%}, {high:.1%}]"


def _dwell(row: Mapping[str, Any]) -> str:
    hasty = f" · *{row['hasty']} in less than three seconds for each candidate*" if row["hasty"] else ""
    return f"{literal(str(row['examiner']))}: {row['opinions']} opinions, half within {row['median']:.0f} s{hasty}"


def _agreeing(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    always = [row for row in pairs if row["together"] >= ENOUGH and row["agreed"] == row["together"]]
    return [
        f"{literal(row['one'])} and {literal(row['other'])}: {row['agreed']} of {row['together']}" for row in always
    ]


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(f"• {line}" for line in lines[:MOST]) or "• none"

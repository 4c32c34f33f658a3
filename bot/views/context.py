"""Description and record side by side: to whoever decides, to examiners after their opinions, on the lead (X3)."""

from bot.views.blocks import Block, View, asked, context, literal, plain, quoted, section, text_input
from policy.contradictions import Check, Fact, Verdict
from policy.leads import against
from policy.model import Search
from policy.wording import sober

FACTS = {
    Fact.HEIGHT: "Height",
    Fact.WEIGHT: "Weight",
    Fact.AGE: "Age",
    Fact.SEX: "Sex",
    Fact.MARKS: "Marks",
    Fact.CUSTODY: "Custody",
}
VERDICTS = {
    Verdict.FITS: "fits",
    Verdict.CONTRADICTS: "CONTRADICTS",
    Verdict.UNSETTLED: "SOMEBODY HAS TO COMPARE THEM",
    Verdict.UNKNOWN: "cannot be compared",
}
ON_THE_LEAD = {Verdict.UNSETTLED: "compared by the supervisor"}
MOST = 400  # characters of what somebody typed, in a line


def line(check: Check) -> str:
    """One fact in a sentence, without markup."""
    described, recorded = check.described[:MOST], check.recorded[:MOST]
    return f"{FACTS[check.fact]}: described {described}; on record {recorded}: {VERDICTS[check.verdict]}."


def _printed(check: Check) -> str:
    """The same on a lead, where no word says more than is known."""
    described, recorded = sober(check.described[:MOST]), sober(check.recorded[:MOST])
    found = ON_THE_LEAD.get(check.verdict, VERDICTS[check.verdict])
    return f"{FACTS[check.fact]}: described {described}; on record {recorded}: {found}."


def for_decision(search: Search) -> list[Block]:
    """To the supervisors: every fact that was compared, contradictions first."""
    if not search.context:
        return [context("Nothing was described that the arrest record could be compared with.")]
    ordered = sorted(search.context, key=lambda check: check not in against(search))
    told = [section("*The arrest record, looked at after the opinions were locked*")]
    told += [quoted(line(check)) for check in ordered]
    if against(search):
        told.append(section("*What contradicts, or waits for somebody to compare it, is resolved in writing first.*"))
    return told


def questions(search: Search) -> list[Block]:
    """In the form of the decision: one for each fact that stands against the lead."""
    return [
        asked(
            question(check.fact),
            QUESTIONS[check.verdict].format(FACTS[check.fact]),
            text_input("answer", multiline=True, longest=1000),
            hint=line(check)[:2000],
        )
        for check in against(search)
    ]


QUESTIONS = {
    Verdict.CONTRADICTS: "{} contradicts: how is it resolved?",
    Verdict.UNSETTLED: "{}: do description and record fit, and why?",
}


def question(fact: str) -> str:
    return f"resolution-{fact}"


def on_the_lead(search: Search) -> list[str]:
    """In sentences for notice and lead sheet: what stood against it, and what was said to that (L9)."""
    return [
        f"{_printed(check)} Resolved: {sober(search.resolutions.get(check.fact, 'not in writing'))}"
        for check in against(search)
    ]


def sheet(search: Search, described: str) -> View:
    """To an examiner whose opinion is locked, once every opinion is."""
    blocks = [section(f"*Examination {search.id}*: what was described, and what is on record.")]
    blocks += [quoted(line(check)) for check in search.context or ()]
    if described:
        blocks += [section("*In the witness's words*"), quoted(described)]
    if len(blocks) == 1:
        blocks.append(context("Nothing was described that the arrest record could be compared with."))
    blocks.append(context("Opinions stay as they were locked. Tell a supervisor what they should know."))
    return {
        "type": "modal",
        "title": plain("What is on record", 24),
        "close": plain("Close", 24),
        "blocks": [*blocks, context(literal(f"Search {search.id}"))],
    }

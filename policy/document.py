"""A pack as a document for people: everything it says, each rule with its source, what is unverified marked so."""

from collections.abc import Iterable, Iterator

from policy.morphology import Component
from policy.pack import FormField, Pack, Purpose
from policy.schema import Case, Limit, Quality, Report, Retention, Rule

READERS = {
    "supervisor": "supervisors",
    "auditor": "auditors",
    "examiner": "examiners once every opinion is locked",
}
EVERY = {
    "week": "every week",
    "quarter": "every quarter",
    "year": "every year",
    "two-years": "every two years",
    "breach": "for every breach",
}
UNVERIFIED = "**Unverified: to be checked against the original before any legal claim.**"


def markdown(pack: Pack) -> str:
    """The whole pack in Markdown."""
    return "\n".join(_lines(pack)) + "\n"


def _lines(pack: Pack) -> Iterator[str]:
    yield f"# {pack.title}"
    builds = f" · builds on `{pack.base}`" if pack.base else ""
    yield f"\nPack `{pack.id}`{builds} · SHA-256 `{pack.sha256}`\n\nSource: {pack.source}"
    if open_points := list(unverified(pack)):
        yield f"\n{len(open_points)} rules are **unverified** and marked below."
    yield "\n## What may be searched for\n"
    for purpose in pack.purposes:
        yield from _purpose(purpose)
    yield "\n## What every request says\n"
    yield from _fields(pack.common_fields)
    least = f"What is asked for as a narrative has at least {pack.narrative_min_chars} characters and says something."
    yield f"- {least} *Source: {pack.narrative_source or pack.source}.*"
    yield f"- The requester attests: “{pack.attestation}” *Source: {pack.attestation_source or pack.source}.*"
    yield "\n## What is banned\n"
    yield from (_ruled(f"**{ban.code}.** {ban.text}{_trigger(ban.words)}", ban) for ban in pack.bans)
    yield "\n## Who decides\n"
    yield from _people(pack)
    yield "\n## What is searched and kept\n"
    yield from _machine(pack)
    yield "\n## What people are told\n"
    yield from _notices(pack)
    yield "\n## Reports and disclosure\n"
    yield from (_ruled(_report(report), report) for report in pack.reports)
    yield from (_ruled(f"**{d.code}.** {d.text}", d) for d in pack.disclosures)
    yield "\n## Cases\n"
    yield from (case_sentence(case) for case in pack.cases)


def _ruled(text: str, rule: Rule) -> str:
    return f"- {text} *Source: {rule.source}.*" + (f" {UNVERIFIED}" if rule.unverified else "")


def _report(report: Report) -> str:
    return f"**{report.code}**, {EVERY[report.every]}, {report.due}, to {report.to}: {', '.join(report.tells)}."


def _purpose(purpose: Purpose) -> Iterator[str]:
    yield _ruled(f"**{purpose.label}** (`{purpose.code}`). {purpose.text}", purpose)
    number = f"{purpose.case_number_label}: {purpose.case_number_hint}"
    yield f"    - {number} (form `{purpose.case_number_pattern}`, such as `{purpose.case_number_example}`)"
    yield from (f"    {line}" for line in _fields(purpose.fields))
    for only in purpose.only:
        text = f"“{only.field}” may only be answered {' or '.join(only.answers)}; else **refused**: {only.because}"
        yield f"    {_ruled(text, only)}"
    if purpose.covers:
        yield f"    - Requests recorded under other packs count as this: {', '.join(purpose.covers)}."


def _fields(fields: Iterable[FormField]) -> Iterator[str]:
    for field in fields:
        asked = f", asked where “{field.when.field}” says “{field.when.says}”" if field.when else ""
        wanted = "required" if field.required else "optional"
        yield _ruled(f"**{field.label}** (`{field.name}`, {field.kind}, {wanted}{asked}). {field.hint}", field)
        yield from (f"    - {text} (`{code}`){_consequence(field, code)}" for code, text in field.options.items())
        yield from (f"    - {line}" for line in _form(field))
        yield f"    - Read by the requester, {', '.join(READERS[one] for one in field.shown_to) or 'and nobody else'}."


def _form(field: FormField) -> Iterator[str]:
    """What an answer has to look like."""
    if field.pattern:
        yield f"Form `{field.pattern}`, such as `{field.example}`."
    elif field.example:
        yield f"Such as `{field.example}`."
    if field.measure:
        yield f"Has to be the {field.measure} of a person."
    if field.dated:
        yield "Has to name a day."


def _consequence(field: FormField, code: str) -> str:
    if code in field.refuses:
        return f" → **refused**: {field.refuses[code]}"
    return f" → **held for approval**: {field.holds[code]}" if code in field.holds else ""


def _trigger(words: tuple[str, ...]) -> str:
    return f" A request that mentions {', '.join(f'“{w}”' for w in words)} is held for a supervisor." if words else ""


def _people(pack: Pack) -> Iterator[str]:
    review, approval = pack.review, pack.pre_approval
    after = "A supervisor decides afterwards." if review.supervisor_decides else "Nobody decides after them."
    differ = "an arbiter is called" if review.disagreement == "arbiter" else "there is no lead"
    yield _ruled(
        f"{review.examiners} examiners compare, blind to each other; if they differ, {differ}. {after}", review
    )
    if review.assigned:
        yield "- Who examines is drawn by lot among those who may, the least busy first."
    compared = f"Before an examiner names anybody, each of these is compared: {', '.join(Component)}."
    yield f"- {compared if review.checklist else 'No comparison by components is asked for.'}"
    if pack.foils:
        text = f"Whoever examines after a locked opinion sees {pack.foils.shown} candidates"
        yield _ruled(f"{text}: its pick among look-alikes, or look-alikes alone; nothing says which.", pack.foils)
    which = ", ".join(approval.purposes) or "every purpose"
    yield _ruled(f"{approval.approvers} approve before the search, for {which}.", approval)
    if emergency := pack.emergency:
        text = (
            f"In an emergency ({', '.join(emergency.purposes)}) the search runs at once, unless something gives cause "
            f"for concern, and is approved within {emergency.approval_hours} hours, or its result is quarantined."
        )
        yield _ruled(text, emergency)
    if screen := pack.protected_activity:
        says = f"Whoever answers “{screen.field}” with “{screen.says}” states “{screen.statement}”."
        text = f"Protected activity needs a stated suspicion and a supervisor. {says}{_trigger(screen.words)}"
        yield _ruled(text, screen)
    days = pack.certification.valid_days
    needed = f"A certification is needed and lasts {days} days." if pack.certification.required else "None is needed."
    yield _ruled(needed, pack.certification)


def _machine(pack: Pack) -> Iterator[str]:
    classes = pack.repositories
    yield _ruled(f"Photographs of the classes {', '.join(classes.permitted)}.", classes)
    if classes.exceptional:
        who = f"With an executive's written permission, for {classes.exception_days} days"
        yield f"- {who}: {', '.join(classes.exceptional)}."
    agreed = "when a second person has agreed" if pack.enrolment.dual_control else "as soon as it is enrolled"
    yield _ruled(f"A batch of photographs is searched {agreed}.", pack.enrolment)
    apart = pack.contradictions
    yield _ruled(
        f"A description contradicts the arrest record when they are more than {apart.height_cm:g} cm, "
        f"{apart.weight_kg:g} kg or {apart.age_years:g} years apart, or in sex, marks or custody; a supervisor "
        "resolves it in writing, and it prints on the lead.",
        apart,
    )
    waits = ", ".join(f"{stage} {hours}" for stage, hours in pack.timers.hours().items())
    yield _ruled(
        f"People are reminded after so many hours ({waits}); supervisors after {pack.timers.escalation} times as long.",
        pack.timers,
    )
    count = pack.candidates
    yield _ruled(f"{count.default} candidates ({count.smallest} to {count.largest}), all of them compared.", count)
    override = ", ".join(pack.quality.override_tiers) or "none"
    accepted = ", ".join(pack.quality.accepted_tiers)
    yield _ruled(f"Image quality: {accepted}; with a supervisor's reason: {override}.", pack.quality)
    yield from (_ruled(_limit(limit), limit) for limit in pack.quality.limits)
    yield f"- {pack.quality.faults_for_poor} limits broken together make a face poor; hints do not count."
    nist = "has to be evaluated by NIST" if pack.evaluation.nist_required else "needs no evaluation by NIST"
    rate = pack.evaluation.lowest_true_positive_rate
    least = f", with a true-positive rate of at least {rate:g} in every demographic group" if rate is not None else ""
    yield _ruled(f"The recognition model {nist}{least}.", pack.evaluation)
    yield from (_ruled(_kept(r), r) for r in pack.retention)
    yield _ruled(f"A lead without an outcome expires after {pack.leads.expiry_days} days.", pack.leads)


def _kept(rule: Retention) -> str:
    """How long one class is kept."""
    refused = "; deleted at once where the request was not approved" if rule.until_refused else ""
    return f"Kept: {rule.of}, {rule.days} days after it was {rule.counted_from}{refused}."


def _limit(limit: Limit) -> str:
    """One limit of image quality: what is asked for each tier."""
    asked = [
        f"{word} {bound:g} for {tier}"
        for word, bounds in (("at least", limit.least), ("at most", limit.most))
        for tier, bound in bounds.model_dump(exclude_none=True).items()
    ]
    return f"{limit.code}: {limit.measure} {', '.join(asked)}{' (a hint)' if limit.hint else ''}."


def _notices(pack: Pack) -> Iterator[str]:
    notices = pack.notices
    yield f"- Lead: “{notices.lead}” {' '.join(notices.duties)} {notices.limits}"
    yield f"- No lead: “{notices.no_lead}”"
    yield f"- Unsuitable: “{notices.unsuitable}”"
    yield _ruled(f"Before the photograph is shown: “{notices.acknowledgement}”", notices)


def case_sentence(case: Case) -> str:
    """Given, when, then, in one paragraph."""
    facts = [f"the purpose is {case.purpose}"] if case.purpose else []
    facts += [f"the case number is “{case.case_number}”"] if case.case_number is not None else []
    facts += [f"“{name}” is answered “{text}”" for name, text in case.answers.items()]
    facts += [f"“{name}” is left open" for name in case.omit]
    facts += [f"photographs of the class {one} are asked for" for one in case.repositories]
    facts += [] if case.attested else ["nothing is attested"]
    given = "; ".join([*facts, *case.given])
    when = f"Given {given}; when {case.when}" if given else f"When {case.when}"
    return f"- **{case.name}.** {when}, then **{case.then}**: {case.because}"


def unverified(pack: Pack) -> Iterator[Rule]:
    """Every rule that is known from memory only."""
    return (rule for rule in rules(pack) if rule.unverified)


def rules(pack: Pack) -> Iterator[Rule]:
    """Every rule of the pack, the pack itself first."""
    yield pack
    for _, value in pack:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, Rule):
                yield one
            if isinstance(one, Purpose):
                yield from (*one.fields, *one.only)
            if isinstance(one, Quality):
                yield from one.limits

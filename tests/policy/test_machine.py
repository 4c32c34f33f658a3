"""Anybody gives any command at any time, under every pack: what must never happen does not."""

from dataclasses import replace
from datetime import timedelta
from functools import reduce

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from policy import model as m
from policy.aftermath import Evidence, LeadOutcome, independent
from policy.authority import examiners, withheld
from policy.cases import COMPARED, FACES, FOUND, MODELS, NARRATIVE, PHOTO, RECORDS, complete
from policy.contradictions import Fact
from policy.foils import shown_to
from policy.intake import EXCEPTION
from policy.leads import against
from policy.preparation import Greyscale, Original
from policy.workflow import decide, evolve
from tests import story as s

LAPSED = replace(s.BEN, id=m.PersonId("lapsed"), roles=s.OMNI.roles, certified_until=s.NOON)
PEOPLE = st.sampled_from([*s.EVERYBODY, s.TOVE, LAPSED])
EXAMINERS = st.sampled_from([s.EVA, s.NOOR, s.BEN, s.OMNI])
SUPERVISORS = st.sampled_from([s.MARA, s.VERA, s.TOVE, s.OMNI])
BANNED = "We deport undocumented people who were found near the immigration office tonight."
RESOLVED = dict.fromkeys(Fact, "The witness saw him from below; the clerk's own report says so.")
LOOKED = (s.RECORD, *RECORDS.values())
DESKS = ((s.EVA, s.NOOR, s.BEN, s.OMNI), (s.EVA,), ())
YES, NO = (m.ApproveRequest(approve, "For a reason.") for approve in (True, False))
WHY = m.ApproveRequest(approve=True, reason="The threat came from that office's own staff; nobody's status matters.")
ANYTHING = st.sampled_from(
    [
        *[m.InjectKnownAnswer("k-1", purpose) for purpose in ("suspect", "victim")],
        YES,
        NO,
        m.AllowRepository(allow=True, reason="For a reason."),
        m.AllowRepository(allow=False, reason="For a reason."),
        m.OverrideQuality(proceed=True, reason="For a reason."),
        m.OverrideQuality(proceed=False, reason="For a reason."),
        m.DeclareConflict("A neighbour."),
        m.Quarantine(),
        *[m.AssessPhoto(PHOTO, faces, "model", found) for faces in FACES.values() for found in MODELS.values()],
        m.RejectPhoto(PHOTO, "format", "No."),
        m.ChooseFace(0),
        m.ChooseFace(1),
        m.PrepareProbe(Greyscale(), PHOTO, "cd" * 32, 1),
        m.PrepareProbe(Original(), "cd" * 32, PHOTO, 1),
        m.RecordCandidates(FOUND, {"k": 3}),
        m.RecordCandidates((), {"k": 3}),
        m.DropCandidate(FOUND[0].label),
        *[m.RecordPosted(post, "C", "1.0") for post in m.Post],
        *[m.DrawExaminers(tuple(m.Eligible(by.id, 0) for by in desk), "chance") for desk in DESKS],
        m.OpenExamination(),
        *[m.AnswerCandidate(c.label, answer) for c in FOUND for answer in m.Support],
        m.Conclude(m.Conclusion.NO_POSSIBLE_MATCH, None, "", PHOTO),
        m.Conclude(m.Conclusion.POSSIBLE_MATCH, FOUND[0].label, "The ears differ in this light.", PHOTO, COMPARED),
        *[m.OpenContext(record) for record in (*LOOKED, None)],
        m.DecideLead(approve=True, reason="Sound."),
        m.DecideLead(approve=True, reason="Sound.", resolutions=RESOLVED),
        m.DecideLead(approve=False, reason="Not sound."),
        m.ReturnReview("One more, please."),
        m.AppendNote("The scar may be make-up."),
        m.GiveUp(),
        m.Acknowledge(),
        *[m.RecordEvidence(kind, "Latent print on the till, lab report 26-114.") for kind in Evidence],
        *[m.RecordOutcome(outcome, "") for outcome in LeadOutcome],
        m.ExpireLead(),
        m.HandBack("Called away."),
        *[m.HandOver(m.PersonId(who), "Nobody has begun.") for who in ("eva", "ben", "dana")],
        m.RecallLead("The witness named another man."),
        m.AcknowledgeRecall(),
        m.Withdraw("Enough."),
    ]
)


def causes(requested: m.SearchRequested, rules) -> bool:
    """Whether a person has to look before anything is searched: told by the answers alone, not by who screens them."""
    purpose = rules.purpose(requested.purpose)
    ticked = set(requested.fields.get("circumstances", "").split(","))
    held = any(ticked & field.holds.keys() for field in rules.fields(purpose))
    return bool(requested.repositories) or held or BANNED in requested.fields.values()


class Desk(RuleBasedStateMachine):
    """One search, told by chance."""

    name = "nypd-2020"

    def __init__(self):
        super().__init__()
        self.rules = s.pack(self.name)
        self.search = m.Search(m.SearchId("LG-AAAAAAAAAAAA"))
        self.now = s.NOON
        self.told: list[m.Event] = []
        self.when: list = []

    def give(self, command: m.Command, by: m.Actor) -> None:
        before = self.search
        events = decide(before, command, by, self.rules, self.now)
        self.search = reduce(evolve, events, before)
        self.told += events
        self.when += [(by, self.now)] * len(events)
        done = [e for e in events if not isinstance(e, m.Refused)]
        assert len(done) in {0, len(events)}, "refused and done at once"
        if done and m.Role.SYSTEM not in by.roles:
            assert by.roles
        another = s.pack("utah-2021" if self.name != "utah-2021" else "nypd-2020")
        if before.state is not m.State.NEW:
            foreign = decide(before, command, by, another, self.now)
            assert not [e for e in foreign if not isinstance(e, m.Refused)], "decided under another pack's rules"

    @initialize(by=st.sampled_from([s.DANA, s.OMNI, LAPSED, s.EVA]), data=st.data())
    def asks(self, by, data):
        purpose = data.draw(st.sampled_from([p.code for p in self.rules.purposes]))
        command = complete(self.rules, purpose)
        repositories = data.draw(st.sampled_from([(), self.rules.repositories.exceptional[:1]]))
        odd = [
            {"circumstances": "minor"},
            {"circumstances": "known"},
            {"circumstances": "protected", "suspicion": BANNED},
        ]
        ticks = data.draw(st.sampled_from([{}, {}, *odd, {"basis": BANNED}]))
        why = data.draw(st.sampled_from([{}, {EXCEPTION.name: NARRATIVE}]))
        described = {"circumstances": "witness", "witness-height": "5'6-5'8", "incident-date": "2026-02-01"}
        ticks = ticks or data.draw(st.sampled_from([{}, described]))
        self.give(replace(command, fields={**command.fields, **ticks, **why}, repositories=repositories), by)

    @rule(command=ANYTHING, by=PEOPLE)
    def anybody_gives_anything(self, command, by):
        self.give(command, by)

    @rule(hours=st.sampled_from([1, 24, 24 * 8]))
    def time_passes(self, hours):
        self.now += timedelta(hours=hours)

    @precondition(lambda self: self.search.state in {m.State.HELD, m.State.QUALITY_HELD})
    @rule(by=SUPERVISORS)
    def somebody_lets_it_go_on(self, by):
        self.give(
            WHY if self.search.state is m.State.HELD else m.OverrideQuality(proceed=True, reason="It will do."), by
        )
        self.give(m.AllowRepository(allow=True, reason="For a reason."), s.REX)

    @precondition(lambda self: self.search.state is m.State.REQUESTED)
    @rule(face=st.sampled_from(["one good face", "one good face", "one poor face"]))
    def the_photograph_is_assessed(self, face):
        self.give(m.AssessPhoto(PHOTO, FACES[face], "model", MODELS["evaluated by NIST"]), s.SYSTEM)

    @precondition(lambda self: self.search.state in {m.State.ASSESSED, m.State.SEARCHED})
    @rule()
    def the_gallery_is_searched(self):
        self.give(m.RecordCandidates(FOUND, {"k": 3}), s.SYSTEM)
        self.give(m.RecordPosted(m.Post.REVIEW, "C", "1.0"), s.SYSTEM)

    @precondition(lambda self: self.search.state in {m.State.IN_REVIEW, m.State.DISAGREED})
    @rule(by=EXAMINERS, pick=st.sampled_from([FOUND[0].label, FOUND[0].label, FOUND[1].label, None]))
    def somebody_examines(self, by, pick):
        for candidate in self.search.candidates:
            self.give(
                m.AnswerCandidate(candidate.label, m.Support.SAME if candidate.label == pick else m.Support.DIFFERENT),
                by,
            )
        if pick:
            self.give(
                m.Conclude(m.Conclusion.POSSIBLE_MATCH, pick, "The ears differ in this light.", PHOTO, COMPARED), by
            )
        else:
            self.give(m.Conclude(m.Conclusion.NO_POSSIBLE_MATCH, None, "", PHOTO), by)

    @precondition(lambda self: self.search.state is m.State.AGREED)
    @rule(by=SUPERVISORS, record=st.sampled_from(LOOKED), resolved=st.sampled_from([RESOLVED, {}]), back=st.booleans())
    def somebody_decides(self, by, record, resolved, back):
        self.give(m.OpenContext(record), s.SYSTEM)
        if back and not self.search.returned:
            self.give(m.ReturnReview("One more, please."), by)
        if self.search.state is m.State.AGREED:
            self.give(m.DecideLead(approve=True, reason="Sound.", resolutions=resolved), by)

    def events(self, kind):
        return [
            (event, by, now) for event, (by, now) in zip(self.told, self.when, strict=True) if isinstance(event, kind)
        ]

    @invariant()
    def folding_gives_the_search(self):
        assert reduce(evolve, self.told, m.Search(self.search.id)) == self.search

    @invariant()
    def no_search_without_an_accepted_and_approved_request(self):
        kinds = [type(event) for event in self.told]
        if m.SearchRun in kinds:
            before = self.told[: kinds.index(m.SearchRun)]
            approvals = {e.by for e in before if isinstance(e, m.RequestApproved)}
            for requested in (e for e in before if isinstance(e, m.SearchRequested)):
                assert self.rules.purpose(requested.purpose)
                assert requested.by not in approvals
                assert len(approvals) >= self.asked_before(requested)
                allowed = {e.by for e in before if isinstance(e, m.RepositoryAllowed)}
                assert bool(requested.repositories) <= bool(allowed)
                assert allowed.isdisjoint(approvals)
        assert kinds.count(m.SearchRequested) + kinds.count(m.KnownAnswerInjected) <= 1
        assert kinds.count(m.SearchRun) <= 1

    def asked_before(self, requested: m.SearchRequested) -> int:
        """How many have to approve before the gallery is searched, as the pack's own rows say it."""
        rules, purpose = self.rules, requested.purpose
        always = not rules.pre_approval.purposes or purpose in rules.pre_approval.purposes
        asked = rules.pre_approval.approvers if always else 0
        if causes(requested, rules):
            return max(asked, 1)
        return 0 if rules.emergency and purpose in rules.emergency.purposes else asked

    @invariant()
    def an_emergency_owes_its_approval_within_the_packs_hours(self):
        for requested, _, now in self.events(m.SearchRequested):
            path = self.rules.emergency
            quick = bool(path) and requested.purpose in path.purposes and not causes(requested, self.rules)
            due = now + timedelta(hours=path.approval_hours) if quick else None
            assert requested.approval_due == due
            assert not quick or requested.approvers >= 1

    @invariant()
    def nothing_becomes_of_a_known_answer(self):
        if self.events(m.KnownAnswerInjected):
            assert not self.events((m.SearchRequested, m.LeadIssued, m.LeadDecided, m.RequestHeld))
            assert self.search.outcome in {None, m.Outcome.KNOWN_ANSWER}

    @invariant()
    def every_copy_begins_where_the_one_before_ended_and_none_is_made_after_the_search(self):
        before = PHOTO
        for step in self.search.preparations:
            assert step.before_sha256 == before
            before = step.after_sha256
        kinds = [type(event) for event in self.told]
        if m.SearchRun in kinds:
            assert m.ProbePrepared not in kinds[kinds.index(m.SearchRun) :]

    @invariant()
    def no_lead_without_the_packs_reviewers_none_of_them_the_requester(self):
        issued = self.events(m.LeadIssued)
        assert len(issued) <= 1
        for lead, _, _ in issued:
            supporters, search = set(lead.examiners), self.search
            approvers = {a.by for a in search.approvals}
            assert len(supporters) == len(lead.examiners) >= self.rules.review.examiners + len(search.returned)
            assert supporters <= set(examiners(search))
            assert search.requested_by not in {*examiners(search), search.decided_by}
            assert supporters.isdisjoint({search.overridden_by, search.allowed_by, search.decided_by} | approvers)
            assert search.decided_by not in search.handed_back
            assert {*examiners(search), search.requested_by}.isdisjoint(search.returned)
            decides = self.rules.review.supervisor_decides or bool(against(search))
            assert (search.decided_by is not None) == decides
            assert search.context is not None
            assert {check.fact for check in against(search)} == search.resolutions.keys()
            assert all(search.resolutions.values())
            locked = [e for e in search.examinations if e.conclusion]
            assert all({*shown_to(search, e.examiner)} <= e.answers.keys() for e in locked)
            compared = [e.components.keys() for e in search.examinations if e.candidate]
            assert not self.rules.review.checklist or all(of == set(m.Component) for of in compared)

    @invariant()
    def nobody_uncertified_asked_examined_approved_or_decided(self):
        acts = (
            m.SearchRequested,
            m.RequestApproved,
            m.RepositoryAllowed,
            m.QualityOverridden,
            m.CandidateAnswered,
            m.ExaminationConcluded,
            m.LeadDecided,
            m.LeadAcknowledged,
        )
        for _, by, now in self.events(acts):
            assert by.certified_until
            assert by.certified_until > now

    @invariant()
    def nobody_sees_what_is_withheld(self):
        for event, _, now in self.events((m.LeadAcknowledged, m.LeadDecided)):
            before = reduce(evolve, self.told[: self.told.index(event)], m.Search(self.search.id))
            assert not withheld(before, now)

    @precondition(lambda self: self.search.state is m.State.LEAD)
    @rule(kind=st.sampled_from(Evidence), outcome=st.sampled_from(LeadOutcome))
    def the_requester_follows_it_up(self, kind, outcome):
        self.give(m.Acknowledge(), s.DANA)
        self.give(m.RecordEvidence(kind, "Latent print on the till, lab report 26-114."), s.DANA)
        self.give(m.RecordOutcome(outcome, ""), s.DANA)

    @invariant()
    def no_arrest_on_a_lead_alone_and_none_of_somebody_elses_lead(self):
        for event, by, _ in self.events((m.OutcomeRecorded, m.EvidenceRecorded)):
            before = reduce(evolve, self.told[: self.told.index(event)], m.Search(self.search.id))
            assert before.acknowledged_at is not None
            assert by.id == before.requested_by
            if isinstance(event, m.OutcomeRecorded) and event.outcome is LeadOutcome.ARREST:
                assert independent(before.corroboration)
        recorded = [event.outcome for event, *_ in self.events(m.OutcomeRecorded)]
        assert set(recorded[1:]) <= {LeadOutcome.ANOTHER_PERSON}
        assert len(recorded) == len(set(recorded))

    @invariant()
    def it_lives_under_the_pack_it_was_requested_under(self):
        assert self.search.pack == ("" if self.search.state is m.State.NEW else self.rules.id)


@pytest.mark.parametrize("name", s.NAMES)
def test_under_every_pack_what_must_never_happen_does_not(name):
    machine = type(f"Desk of {name}", (Desk,), {"name": name})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.mark.parametrize("name", s.NAMES)
def test_a_lead_is_within_reach_of_the_machine_under_every_pack(name):
    """The invariants above would hold of a desk where nothing ever happens, too."""
    desk = type(f"Desk of {name}", (Desk,), {"name": name})()
    desk.give(complete(desk.rules, desk.rules.purposes[0].code), s.DANA)
    for by in (s.MARA, s.VERA):
        if desk.search.state is m.State.HELD:
            desk.somebody_lets_it_go_on(by)
    desk.the_photograph_is_assessed("one good face")
    desk.the_gallery_is_searched()
    for by in (s.EVA, s.NOOR):
        desk.somebody_examines(by, FOUND[0].label)
    desk.somebody_decides(s.MARA, s.RECORD, {}, back=False)
    assert desk.search.state is m.State.LEAD
    desk.no_lead_without_the_packs_reviewers_none_of_them_the_requester()
    desk.nobody_uncertified_asked_examined_approved_or_decided()

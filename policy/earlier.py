"""What the desk did before a pack could say it: the meaning of texts that were recorded before the key was there.

A search lives and dies under the pack it was requested under, so every text that was ever recorded stays readable. A
key that is added later has a default, here or beside it, that means "as before".
"""

from policy.schema import Contradictions, Enrolment, Timers

ENROLMENT = Enrolment(dual_control=False, source="before a pack could ask for a second person, nobody did")
CONTRADICTIONS = Contradictions(
    height_cm=10,
    weight_kg=18,
    age_years=8,
    source="as the desk's; a text that is older than the comparison asks for no description that could contradict",
)
TIMERS = Timers(
    approval=4,
    face=24,
    quality=8,
    examination=24,
    arbitration=24,
    decision=8,
    escalation=2,
    source="as the desk's: people are reminded, and nothing else follows from it",
)

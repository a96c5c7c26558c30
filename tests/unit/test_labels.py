"""What people read of a campaign with eight branches."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

import pytest

from api.campaign_files import read_campaign
from shared.domain.branches import Condition, LeadIs, LeadTest, OutcomeIs, StepOutcome
from shared.domain.channels import Channel
from shared.domain.definition import Branch, Node, StepPlan, flatten
from shared.domain.explanation import explain
from shared.domain.labels import LONGEST, label_of, question_in_words
from shared.domain.moves import next_move
from shared.domain.recipient import ActivityName, Planned, Progress, Step

CAMPAIGN = UUID(int=7)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
FILE = """name: Eight
type: multi
steps:
  - {key: invite, channel: linkedin_connection, message_template: x}
  - if: {step: invite, outcome: connected, within_days: 5}
    then:
      - {key: chat, channel: linkedin_message, message_template: x}
    else:
      - {key: mail, channel: email, subject: x, message_template: x}
  - {key: call, channel: call, message_template: x}
  - if: {step: call, outcome: answered}
    then:
      - {key: thanks, channel: email, subject: x, message_template: x}
    else:
      - if: {step: call, outcome: voicemail}
        then:
          - {channel: email, subject: x, message_template: x}
        else:
          - if: {lead: country, test: one_of, value: [DE, AT]}
            then:
              - {key: german, channel: task, message_template: x}
"""


def test_each_step_says_what_it_is_and_why_it_is_done() -> None:
    steps = read_campaign(FILE).steps

    assert [label_of(step, steps) for step in steps] == [
        "step 1 of 7 (invite), linkedin.invite",
        "step 2 of 7 (chat), linkedin.message, as step 1 (invite) was accepted within 5 days",
        "step 3 of 7 (mail), gmail.send, as step 1 (invite) was not accepted within 5 days",
        "step 4 of 7 (call), bland.call",
        "step 5 of 7 (thanks), gmail.send, as step 4 (call) was answered",
        "step 6 of 7, gmail.send, as step 4 (call) reached a voicemail",
        "step 7 of 7 (german), task.open, as country is one of DE, AT",
    ]


def test_an_open_decision_is_a_question() -> None:
    steps = read_campaign(FILE).steps
    invited = Progress(
        started_at=NOON,
        done=frozenset({steps[0].id}),
        trail=(steps[0].id,),
        anchor_at=NOON,
        done_at={steps[0].id: NOON},
    )

    plan = next_move(steps, invited, NOON)

    assert isinstance(plan, Planned)
    assert plan.activity is ActivityName.RECIPIENT_PLAN
    assert plan.label == "before step 2 (chat): step 1 (invite) was accepted within 5 days?"


def test_an_explanation_tells_the_way_and_what_it_left_out() -> None:
    steps = read_campaign(FILE).steps
    called = tuple(step.id for step in steps[:4])
    progress = Progress(
        started_at=NOON,
        done=frozenset({called[0], called[2], called[3]}),
        trail=called,
        anchor_at=NOON,
        done_at={called[3]: NOON},
        outcomes={called[3]: {StepOutcome.VOICEMAIL: NOON}},
    )

    explanation = explain(steps, progress, NOON)

    assert list(explanation.because)[1:] == [
        "it is on the way of those with: step 4 (call) was not answered",
        "it is on the way of those with: step 4 (call) reached a voicemail",
        "step 5 (thanks) is passed over: step 4 (call) was not answered",
    ]


def test_eight_branches_fit_into_what_temporal_shows() -> None:
    node: Node = StepPlan(
        id=uuid5(CAMPAIGN, "last"), key="last", channel=Channel.CALL, message_template="x"
    )
    for level in range(8):
        node = Branch(
            condition=LeadIs(field=f"custom.{'x' * 40}{level}", test=LeadTest.IS_SET), then=(node,)
        )
    (one,) = flatten([node], campaign_id=CAMPAIGN)
    step = Step(
        id=one.step.id,
        position=1,
        activity=ActivityName.BLAND_CALL,
        wait_seconds=0,
        guards=one.guards,
        name="last",
    )

    assert len(label_of(step, (step,))) <= LONGEST


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            OutcomeIs(step_id=CAMPAIGN, outcome=StepOutcome.OPENED, within_seconds=5_400),
            "a step that was removed was opened within 90 minutes?",
        ),
        (
            OutcomeIs(step_id=CAMPAIGN, outcome=StepOutcome.DONE, within_seconds=3_600),
            "a step that was removed was done within 1 hour?",
        ),
        (LeadIs(field="phone", test=LeadTest.IS_SET), "phone is known?"),
        (LeadIs(field="beds", test=LeadTest.AT_LEAST, value=3), "beds is at least 3?"),
    ],
)
def test_conditions_read_as_sentences(condition: Condition, words: str) -> None:
    assert question_in_words(condition, ()) == words

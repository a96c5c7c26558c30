"""A tree of steps and conditions, and the row that the engine keeps of it."""

from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.branches import Condition, Guard, LeadIs, LeadTest, OutcomeIs, StepOutcome
from shared.domain.channels import Channel
from shared.domain.definition import (
    Branch,
    GuardedStep,
    Node,
    StepPlan,
    all_steps,
    flatten,
    renewed,
    unflatten,
)

CAMPAIGN = UUID(int=7)


def step(name: str, channel: Channel = Channel.EMAIL) -> StepPlan:
    return StepPlan(id=uuid5(CAMPAIGN, name), key=name, channel=channel, message_template=name)


def is_(name: str, outcome: StepOutcome, within_seconds: int | None = None) -> OutcomeIs:
    return OutcomeIs(step_id=uuid5(CAMPAIGN, name), outcome=outcome, within_seconds=within_seconds)


conditions: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        is_,
        st.sampled_from("abc"),
        st.sampled_from([StepOutcome.ANSWERED, StepOutcome.OPENED]),
        st.sampled_from([None, 60]),
    ),
    st.builds(
        LeadIs, field=st.just("city"), test=st.just(LeadTest.IS), value=st.sampled_from("xy")
    ),
)
steps = st.integers(0, 10**9).map(lambda number: step(f"step {number}"))
trees: st.SearchStrategy[tuple[Node, ...]] = st.recursive(
    st.lists(steps, max_size=3).map(tuple),
    lambda inner: st.lists(
        steps | st.builds(Branch, condition=conditions, then=inner, otherwise=inner), max_size=4
    ).map(tuple),
    max_leaves=12,
)
rows = st.lists(
    st.builds(
        GuardedStep,
        step=steps,
        guards=st.lists(
            st.builds(Guard, decision_id=st.uuids(), condition=conditions, is_met=st.booleans()),
            max_size=3,
        ).map(tuple),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None)
@given(trees)
def test_a_tree_that_went_into_a_row_and_back_makes_the_same_row(tree: tuple[Node, ...]) -> None:
    row = flatten(tree, campaign_id=CAMPAIGN)

    back = unflatten(row)

    assert [one.step for one in row] == list(all_steps(tree))
    assert without_ids(flatten(back, campaign_id=CAMPAIGN)) == without_ids(row)
    # What has come out once changes no more.
    assert unflatten(flatten(back, campaign_id=CAMPAIGN)) == back


@settings(max_examples=300, deadline=None)
@given(rows)
def test_a_row_that_became_a_tree_keeps_every_step_and_every_guard(row: list[GuardedStep]) -> None:
    again = renewed(row, campaign_id=CAMPAIGN)

    assert without_ids(again) == without_ids(row)
    assert renewed(again, campaign_id=CAMPAIGN) == again


def test_neighbours_that_ask_the_same_share_a_condition() -> None:
    called = is_("call", StepOutcome.ANSWERED)
    yes, no = (
        Guard(decision_id=UUID(int=number), condition=called, is_met=is_met)
        for number, is_met in enumerate((True, False))
    )
    row = [
        GuardedStep(step=step("call")),
        GuardedStep(step=step("thanks"), guards=(yes,)),
        GuardedStep(step=step("again"), guards=(no,)),
        GuardedStep(step=step("last")),
    ]

    tree = unflatten(row)

    branch = Branch(condition=called, then=(step("thanks"),), otherwise=(step("again"),))
    assert tree == (step("call"), branch, step("last"))
    first, second = (one.guards[0].decision_id for one in renewed(row, campaign_id=CAMPAIGN)[1:3])
    assert first == second


def test_the_same_question_at_another_place_is_another_decision() -> None:
    def ask(name: str) -> Branch:
        return Branch(condition=is_("mail", StepOutcome.OPENED), then=(step(name),))

    tree = (step("mail"), ask("a"), step("b"), ask("c"))

    row = flatten(tree, campaign_id=CAMPAIGN)

    assert row[1].guards[0].decision_id != row[3].guards[0].decision_id
    assert unflatten(row) == tree


def without_ids(row: tuple[GuardedStep, ...] | list[GuardedStep]) -> list[object]:
    return [(one.step, [(g.condition, g.is_met) for g in one.guards]) for one in row]

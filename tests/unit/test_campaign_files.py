"""Campaigns as YAML: what is read, what is written, and what is refused with its line."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from api.campaign_files import NotACampaign, campaign_schema, read_campaign, write_campaign
from api.trees import tree_fields
from shared.domain.linting import find_structure_problems

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.yaml"))}
HEAD = "name: x\ntype: multi\n"
STEP = "  - key: a\n    channel: task\n    message_template: x\n"

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=60
)
blocks = st.lists(words, min_size=1, max_size=4).map("\n".join)
steps = st.builds(
    lambda text, subject, days: {
        "channel": "email",
        "delay_days": days,
        "subject": subject,
        "message_template": text,
    },
    blocks,
    st.text("abc: #'\"{}[]&*!|>%@`-?,", min_size=1, max_size=30).filter(str.strip).map(str.strip),
    st.integers(1, 30),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(steps, max_size=4))
def test_whatever_is_written_is_read_as_the_same(bodies: list[dict[str, Any]]) -> None:
    keyed = [{"key": f"s{number}", **body} for number, body in enumerate(bodies)]

    read = read_campaign(write_campaign({"name": "x", "type": "email", "steps": keyed}))

    assert tree_fields(read.nodes) == keyed


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_good_and_fits_the_schema(name: str) -> None:
    read = read_campaign(EXAMPLES[name])

    plain = YAML(typ="safe", pure=True).load(EXAMPLES[name])
    assert find_structure_problems(read.nodes) == []
    assert jsonschema_rs.validator_for(campaign_schema()).is_valid(plain)


def test_words_that_other_readers_take_for_something_else_stay_words() -> None:
    text = HEAD.replace("x", "no") + "steps:\n" + STEP.replace("x", "2026-12-01")

    read = read_campaign(text)

    assert read.body.name == "no"
    assert read.steps[0].name == "a"
    assert [node["message_template"] for node in tree_fields(read.nodes)] == ["2026-12-01"]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        pytest.param("", (1, 1), "name and steps", id="nothing"),
        pytest.param("- 1", (1, 1), "name and steps", id="a list"),
        pytest.param("name: [", (1, 8), "no YAML", id="an open bracket"),
        pytest.param("name: x\nname: y\n", (2, 1), "duplicate key", id="a field twice"),
        pytest.param("name: &a x\n", (1, 7), "Anchors", id="an anchor"),
        pytest.param("name: *a\n", (1, 7), "Anchors", id="an alias"),
        pytest.param("name: !!python/none x\n", (1, 7), "Tags", id="a tag"),
        pytest.param("name: " + "[" * 300, (1, 206), "too deep", id="very deep"),
        pytest.param("a" * 1_000_001, (1, 1), "characters", id="very long"),
        pytest.param("\x00", (1, 1), "no YAML", id="a control character"),
        pytest.param(HEAD, (1, 1), "missing", id="no steps"),
        pytest.param(HEAD + "step: []\nsteps: []\n", (3, 1), "did you mean `steps`", id="a typo"),
        pytest.param(
            HEAD + "steps:\n" + STEP + "    delay_days: soon\n", (7, 5), "integer", id="no number"
        ),
        pytest.param(
            HEAD
            + "steps:\n  - if: {step: b, outcome: done}\n    then:\n    "
            + STEP.replace("\n", "\n    "),
            (4, 10),
            "There is no step b",
            id="an unknown step",
        ),
        pytest.param(
            HEAD + "steps:\n" + STEP + STEP, (3, 1), "Two steps have the key a", id="a key twice"
        ),
        pytest.param(
            HEAD + "steps:\n" + STEP + "    inmail: true\n", (7, 5), "InMail", id="of no channel"
        ),
    ],
)
def test_what_cannot_be_read_is_told_with_line_and_column(
    text: str, place: tuple[int, int], words: str
) -> None:
    with pytest.raises(NotACampaign) as refused:
        read_campaign(text)

    error = refused.value.errors[0]
    assert words in error.message
    assert (error.line, error.column) == place

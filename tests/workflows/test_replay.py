"""Histories of earlier versions still go the same way: nobody asleep is lost by a deployment.

To keep new ones: DRUMBEAT_KEEP_HISTORIES=tests/workflows/histories pytest tests/workflows -k NAME
"""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from workflows.payloads import DATA_CONVERTER
from workflows.recipient import RecipientWorkflow

HISTORIES = {
    path.stem: path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "histories").glob("*.json"))
}


def test_there_are_histories() -> None:
    assert len(HISTORIES) >= 5


@pytest.mark.parametrize("text", HISTORIES.values(), ids=HISTORIES.keys())
async def test_a_stored_history_replays(text: str) -> None:
    history = WorkflowHistory.from_json("recipient", text)
    replayer = Replayer(workflows=[RecipientWorkflow], data_converter=DATA_CONVERTER)

    await replayer.replay_workflow(history)


async def test_a_changed_history_is_noticed() -> None:
    changed = HISTORIES["silence_gets_every_mail"].replace('"gmail.send"', '"gmail.post"')
    replayer = Replayer(workflows=[RecipientWorkflow], data_converter=DATA_CONVERTER)

    with pytest.raises(Exception, match=r"[Nn]ondeterminism"):
        await replayer.replay_workflow(WorkflowHistory.from_json("recipient", changed))

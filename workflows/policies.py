"""What a plan can name, and the time-outs, retries and queues of every activity."""

from datetime import timedelta
from typing import Any, NotRequired, TypedDict

from temporalio.common import RetryPolicy
from temporalio.types import MethodAsyncSingleParam

from activities.bland import BlandActivities
from activities.gmail import GmailActivities
from activities.linkedin import LinkedInActivities
from activities.recipient import RecipientActivities
from activities.smtp import SmtpActivities
from activities.tasks import TaskActivities
from shared.contracts.queues import Queue
from shared.contracts.recipient import ActionOrder
from shared.domain.recipient import ActivityName, Outcome, Planned


class Policy(TypedDict):
    start_to_close_timeout: timedelta
    retry_policy: RetryPolicy
    schedule_to_start_timeout: NotRequired[timedelta]
    heartbeat_timeout: NotRequired[timedelta]


# No policy has an overall deadline: an outage may last for days, and a recipient whose
# workflow has failed would be lost. Every attempt looks first whether it is still wanted.
DATABASE = Policy(
    start_to_close_timeout=timedelta(seconds=10),
    retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
)
# Longer than all the calls of one attempt together, so that attempts hardly ever overlap.
PROVIDER = Policy(
    # A worker that is killed in the middle is missed after this time, and not before.
    start_to_close_timeout=timedelta(seconds=60),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(seconds=2), maximum_interval=timedelta(seconds=60)
    ),
)
# What can wait for another round does not wait for a queue that no worker is at.
NOBODY_THERE = timedelta(seconds=60)
# Asked again by the next sweep, and not before.
LOOK_UP = Policy(
    start_to_close_timeout=timedelta(seconds=60),
    schedule_to_start_timeout=NOBODY_THERE,
    retry_policy=RetryPolicy(maximum_attempts=1),
)
# A turn of starts. A worker that died is noticed by its silence.
LAUNCH = Policy(
    start_to_close_timeout=timedelta(minutes=5),
    heartbeat_timeout=timedelta(seconds=5),
    retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
)
# A sweep: many small calls.
BATCH = Policy(
    start_to_close_timeout=timedelta(minutes=5),
    retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
)
# Every mailbox, one by one. What was missed is done an hour later.
TIDYING = Policy(
    start_to_close_timeout=timedelta(minutes=10),
    schedule_to_start_timeout=NOBODY_THERE,
    retry_policy=RetryPolicy(maximum_attempts=1),
)
# A look through a whole file, however large.
FILE = Policy(
    start_to_close_timeout=timedelta(minutes=10),
    retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
)
# What it misses is read by the next round.
LOOK = Policy(
    start_to_close_timeout=timedelta(minutes=2), retry_policy=RetryPolicy(maximum_attempts=2)
)
# Its answer is welcome and not needed.
MODEL = Policy(
    start_to_close_timeout=timedelta(seconds=90), retry_policy=RetryPolicy(maximum_attempts=3)
)

# What a plan can name.
ACTIVITIES: dict[ActivityName, MethodAsyncSingleParam[Any, ActionOrder, Outcome]] = {
    ActivityName.RECIPIENT_PLAN: RecipientActivities.plan,
    ActivityName.GMAIL_SEND: GmailActivities.send,
    ActivityName.SMTP_SEND: SmtpActivities.send,
    ActivityName.LINKEDIN_INVITE: LinkedInActivities.invite,
    ActivityName.LINKEDIN_MESSAGE: LinkedInActivities.message,
    ActivityName.BLAND_CALL: BlandActivities.call,
    ActivityName.BLAND_COLLECT: BlandActivities.collect,
    ActivityName.TASK_OPEN: TaskActivities.open,
}
# What finds out later what became of an action that was left open.
SETTLERS: dict[ActivityName, MethodAsyncSingleParam[Any, ActionOrder, bool]] = {
    ActivityName.GMAIL_SEND: GmailActivities.settle,
    ActivityName.SMTP_SEND: SmtpActivities.settle,
    ActivityName.LINKEDIN_INVITE: LinkedInActivities.settle,
    ActivityName.LINKEDIN_MESSAGE: LinkedInActivities.settle,
    ActivityName.BLAND_CALL: BlandActivities.settle,
    ActivityName.BLAND_COLLECT: BlandActivities.settle,
    ActivityName.TASK_OPEN: TaskActivities.settle,
}
POLICIES = {
    ActivityName.RECIPIENT_PLAN: DATABASE,
    ActivityName.GMAIL_SEND: PROVIDER,
    ActivityName.SMTP_SEND: PROVIDER,
    ActivityName.LINKEDIN_INVITE: PROVIDER,
    ActivityName.LINKEDIN_MESSAGE: PROVIDER,
    ActivityName.BLAND_CALL: PROVIDER,
    ActivityName.BLAND_COLLECT: PROVIDER,
    ActivityName.TASK_OPEN: DATABASE,
}
QUEUES = {
    ActivityName.RECIPIENT_PLAN: Queue.RECIPIENT,
    ActivityName.GMAIL_SEND: Queue.GMAIL,
    ActivityName.SMTP_SEND: Queue.SMTP,
    ActivityName.LINKEDIN_INVITE: Queue.LINKEDIN,
    ActivityName.LINKEDIN_MESSAGE: Queue.LINKEDIN,
    ActivityName.BLAND_CALL: Queue.BLAND,
    ActivityName.BLAND_COLLECT: Queue.BLAND,
    ActivityName.TASK_OPEN: Queue.OPS,
}

# A call whose end is told of is asked for by the sweep when nobody has told; a shorter wait is a
# look at a call that nobody tells of.
LONGEST_LOOK = timedelta(minutes=10)


def timer_for(plan: Planned, left: timedelta) -> timedelta | None:
    """How long to wait for a plan. None: without a timer, until somebody tells."""
    is_told = plan.activity is ActivityName.BLAND_COLLECT and left > LONGEST_LOOK
    return None if is_told else left

"""What goes wrong in which run: drawn from the seed, nothing else."""

from dataclasses import dataclass, replace
from random import Random

from deploy.chaos.faults import (
    AFTER_ACTING,
    DEEDS,
    MAIL_PLACES,
    NEWS,
    OPERATIONS,
    PLACES_OF,
    REAL,
    SENDING,
    STRIKES,
    WIRE,
    Fault,
    Injection,
    Place,
)
from deploy.sandbox.phone_people import Pickup
from shared.domain.channels import Channel

# An attempt that meets nothing unusual waits, and commits, this often.
USUAL_SUSPENSIONS = 30
USUAL_COMMITS = 6
MOST_STEPS = 3
# Of the lives whose first fault can strike anywhere; what the others' steps are made of.
ONLY_MAIL = 0.4
MIXTURE = {
    Channel.EMAIL: 3,
    Channel.LINKEDIN_CONNECTION: 2,
    Channel.LINKEDIN_MESSAGE: 1,
    Channel.CALL: 3,
    Channel.TASK: 2,
}
PICKUPS = {
    Pickup.TALKS: 4,
    Pickup.NO_ANSWER: 2,
    Pickup.VOICEMAIL: 2,
    Pickup.BUSY: 1,
    Pickup.FAILS: 1,
    Pickup.HANGS_UP: 1,
    Pickup.DO_NOT_CALL: 1,
    Pickup.NOT_INTERESTED: 1,
    Pickup.WANTS_MEETING: 1,
}
ACCEPTS, ANSWERS = 0.75, 0.25
# The runs in processes, and at which of them a server is killed too.
ONE_IN = 20
ROUND_OF_SERVERS = 50
SERVER_KILLS = {3: Fault.TEMPORAL_KILLED, 7: Fault.POSTGRES_KILLED}
SUSPENSIONS_IN_A_PROCESS = 50
WHILE_SENDING = (Fault.SEND_ANSWER_LOST, Fault.REPLIED_WHILE_SENDING, Fault.REPORTED_TWICE)

Kind = tuple[Fault, Place | None]
# What can be done to lives inside this process, and on whose wire. Each is some run's first fault.
KINDS: tuple[Kind, ...] = (
    *((fault, None) for fault in Fault if fault not in REAL | WIRE | NEWS | {Fault.DRAFT_DELETED}),
    *((fault, place) for place in Place for fault in sorted(STRIKES[place])),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run: a recipient's life in a campaign with a step for each of `channels`, and what
    befalls it.

    `mail`: whose mailbox mails leave from. `pickup`: what they do when the phone rings.
    `accepts`, `answers`: what they do at LinkedIn.
    """

    run: int
    channels: tuple[Channel, ...]
    injections: tuple[Injection, ...]
    mail: Place = Place.GMAIL
    pickup: Pickup = Pickup.NO_ANSWER
    accepts: bool = True
    answers: bool = False

    @property
    def places(self) -> tuple[Place, ...]:
        """On whose wires it can be met."""
        found = (PLACES_OF.get(channel) for channel in self.channels)
        return (self.mail, *sorted({place for place in found if place}))


def draw_plan(seed: int, run: int) -> Plan:
    """The first fault goes round all kinds, so that few runs are enough to see each of them."""
    random = Random(f"{seed}/{run}")  # noqa: S311 - repeatable is what it has to be
    fault, place = KINDS[run % len(KINDS)]
    is_mail = place in MAIL_PLACES
    mail = place if place and is_mail else random.choices(MAIL_PLACES, (2, 1))[0]
    plan = Plan(
        run=run,
        channels=_draw_channels(random, place),
        injections=(),
        mail=mail,
        pickup=random.choices(tuple(PICKUPS), tuple(PICKUPS.values()))[0],
        accepts=random.random() < ACCEPTS,
        answers=random.random() < ANSWERS,
    )
    more = random.choices((0, 1, 2, 3, 4), (2, 4, 4, 2, 1))[0]
    possible = [kind for kind in KINDS if kind[1] in {None, *plan.places}]
    kinds = [(fault, place), *random.choices(possible, k=more)]
    injections = [_draw(random, plan, kind) for kind in kinds]
    return replace(plan, injections=tuple(injections))


def _draw_channels(random: Random, place: Place | None) -> tuple[Channel, ...]:
    """Mails only, or a mixture, in which the first fault finds its place."""
    steps = random.randint(1, MOST_STEPS)
    if place in MAIL_PLACES or (place is None and random.random() < ONLY_MAIL):
        return (Channel.EMAIL,) * steps
    mixed = random.choices(tuple(MIXTURE), tuple(MIXTURE.values()), k=steps)
    if place is Place.LINKEDIN:
        mixed[:1] = [Channel.LINKEDIN_CONNECTION, Channel.LINKEDIN_MESSAGE]
    elif place is Place.BLAND:
        mixed[random.randrange(steps)] = Channel.CALL
    return tuple(mixed)


def _draw(random: Random, plan: Plan, kind: Kind) -> Injection:
    fault, place = kind
    somewhere = place or random.choice(plan.places)
    weights = STRIKES[somewhere].get(fault)
    if fault is Fault.REPLIED_WHILE_SENDING:
        weights = SENDING[somewhere]
    elif fault in DEEDS and weights is None and random.random() < 0.6:
        weights = OPERATIONS[somewhere]
    operation = random.choices(tuple(weights), tuple(weights.values()))[0] if weights else None
    is_after = fault in AFTER_ACTING or (fault in DEEDS and random.random() < 0.5)
    most = USUAL_COMMITS if fault is Fault.KILLED_COMMITTING else USUAL_SUSPENSIONS
    return Injection(
        fault=fault,
        attempt=random.randint(1, len(plan.channels)),
        suspension=random.randint(1, most),
        operation=operation,
        is_after=is_after and fault is not Fault.DRAFT_DELETED,
        place=place,
    )


def is_in_processes(run: int) -> bool:
    """Whether this run is lived in processes that are killed for real: one in twenty is."""
    return run % ONE_IN == ONE_IN - 1


def draw_process_plan(seed: int, run: int) -> Plan:
    """A worker is killed once or more, and a server or an answer beside it now and then."""
    random = Random(f"{seed}/{run}/processes")  # noqa: S311 - repeatable is what it has to be
    steps = random.randint(1, MOST_STEPS)
    kills = random.choices((1, 2, 3), (6, 3, 1))[0]
    injections = [
        Injection(
            fault=Fault.WORKER_KILLED,
            attempt=random.randint(1, steps),
            suspension=random.randint(1, SUSPENSIONS_IN_A_PROCESS),
        )
        for _ in range(kills)
    ]
    server = SERVER_KILLS.get(run // ONE_IN % ROUND_OF_SERVERS)
    if server or random.random() < 0.4:
        fault = server or random.choice(WHILE_SENDING)
        is_after = fault is Fault.SEND_ANSWER_LOST or random.random() < 0.5
        at_sending = Injection(
            fault=fault,
            attempt=1 if server else random.randint(1, steps),
            suspension=1,
            operation="drafts.send",
            is_after=is_after,
        )
        injections.append(at_sending)
    channels = (Channel.EMAIL,) * steps
    return Plan(run=run, channels=channels, injections=tuple(injections))

"""Links in HTML are led through us, nothing else is touched; visitors are told apart."""

import re
from uuid import uuid4

import pytest

from shared.domain.tracking import Hit, TrackingKind, Visitor, visitor_of
from shared.keyring import Keyring
from shared.tracking import Tracking, read_tracked_link, with_tracking

GATEWAY = "https://mail.example.com"
LINK = re.compile(rf'"{GATEWAY}/t/c/([\w-]+)"')


@pytest.fixture
def tracking(keyring: Keyring) -> Tracking:
    return Tracking(
        keyring=keyring,
        public_url=GATEWAY,
        company_id=uuid4(),
        recipient_id=uuid4(),
        step_id=uuid4(),
        has_clicks=True,
    )


@pytest.mark.parametrize(
    ("html", "target"),
    [
        ('<a href="https://a.example/?x=1&amp;y=2">', "https://a.example/?x=1&y=2"),
        ("<A class='b' HREF = 'http://a.example'>", "http://a.example"),
        ("<a href=https://a.example/ü>", "https://a.example/ü"),
        ('<p>\n\n<a\nhref="https://a.example/\n b" >', "https://a.example/ b"),
        ('<a title=" href=x > y" href="https://a.example">', "https://a.example"),
        ('<a href="https://a.example" href="https://b.example">', "https://a.example"),
    ],
)
def test_a_link_leads_through_us(
    tracking: Tracking, keyring: Keyring, html: str, target: str
) -> None:
    written = with_tracking(html, tracking)

    [found] = LINK.finditer(written)
    link = read_tracked_link(keyring, TrackingKind.CLICK, found[1])
    assert link
    assert link.target == target
    # Around it nothing has changed.
    assert html.startswith(written[: found.start()])
    assert html.endswith(written[found.end() :])


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:ada@example.com">',
        '<a href="tel:+4930">',
        '<a href="#top">',
        '<a href="/here">',
        '<a href="javascript:alert(1)">',
        '<a href="https://">',
        '<a href="http://[broken">',
        '<a href="">',
        "<a href>",
        '<a name="x">',
        f'<a href="{GATEWAY}/u/token">Unsubscribe</a>',
        f'<a href="https://a.example/{"x" * 1_500}">',
        '<!-- <a href="https://a.example"> -->',
        '<style>a[href="https://a.example"] { color: red }</style>',
        '<link href="https://a.example">',
        "Line\r\nby line, <b>unclosed & ampersand",
    ],
)
def test_what_is_no_link_of_the_web_stays_as_it_is(tracking: Tracking, html: str) -> None:
    assert with_tracking(html, tracking) == html


def test_nothing_is_added_unless_it_is_asked_for(tracking: Tracking) -> None:
    html = '<body><a href="https://a.example">A</a></body>'
    off = Tracking(
        keyring=tracking.keyring,
        public_url=GATEWAY,
        company_id=tracking.company_id,
        recipient_id=tracking.recipient_id,
        step_id=tracking.step_id,
    )

    assert with_tracking(html, off) == html


@pytest.mark.parametrize(
    ("html", "pattern"),
    [
        ("<p>Hi</p>", r"<p>Hi</p><img [^>]+>"),
        ("<BODY>Hi</BODY>\n", r"<BODY>Hi<img [^>]+></BODY>\n"),
    ],
)
def test_the_picture_comes_last(keyring: Keyring, html: str, pattern: str) -> None:
    tracking = Tracking(
        keyring=keyring,
        public_url=GATEWAY,
        company_id=uuid4(),
        recipient_id=uuid4(),
        step_id=uuid4(),
        has_opens=True,
    )

    written = with_tracking(html, tracking)

    assert re.fullmatch(pattern, written)
    assert written == with_tracking(html, tracking)
    token = re.findall(r"/t/o/([\w-]+)\.gif", written)[0]
    link = read_tracked_link(keyring, TrackingKind.OPEN, token)
    assert link
    assert (link.company_id, link.recipient_id, link.step_id, link.target) == (
        tracking.company_id,
        tracking.recipient_id,
        tracking.step_id,
        None,
    )


CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
OUTLOOK = "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"


@pytest.mark.parametrize(
    ("hit", "visitor"),
    [
        (Hit(user_agent=CHROME, seconds_since_sent=60), Visitor.PERSON),
        (Hit(user_agent=IPHONE, seconds_since_sent=60), Visitor.PERSON),
        (Hit(user_agent=OUTLOOK, seconds_since_sent=60), Visitor.PERSON),
        (Hit(user_agent=CHROME, seconds_since_sent=10), Visitor.PERSON),
        (Hit(user_agent=CHROME, seconds_since_sent=9.9), Visitor.SCANNER),
        (Hit(user_agent=CHROME, seconds_since_sent=-5), Visitor.SCANNER),
        (Hit(user_agent=CHROME), Visitor.SCANNER),
        (Hit(user_agent=" ", seconds_since_sent=60), Visitor.SCANNER),
        (Hit(user_agent=CHROME, is_head=True, seconds_since_sent=60), Visitor.SCANNER),
        (Hit(user_agent="curl/8.5.0", seconds_since_sent=60), Visitor.SCANNER),
        (Hit(user_agent="python-requests/2.32", seconds_since_sent=60), Visitor.SCANNER),
        (Hit(user_agent="Slackbot-LinkExpanding 1.0", seconds_since_sent=60), Visitor.SCANNER),
        (Hit(user_agent=f"{CHROME} HeadlessChrome", seconds_since_sent=60), Visitor.SCANNER),
        (Hit(user_agent=YAHOO, seconds_since_sent=1), Visitor.IMAGE_PROXY),
        (Hit(user_agent="Mozilla/5.0", seconds_since_sent=60), Visitor.PREFETCH),
        (
            Hit(user_agent=CHROME, purpose="prefetch;prerender", seconds_since_sent=60),
            Visitor.PREFETCH,
        ),
    ],
)
def test_visitors_are_told_by_what_they_say_and_by_their_hurry(hit: Hit, visitor: Visitor) -> None:
    assert visitor_of(hit) is visitor

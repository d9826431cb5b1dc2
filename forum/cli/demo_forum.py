"""Made-up users and articles that look like those of a small town's forum."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from forum.domain.model import Account, Article, Author, User

_AGE = timedelta(days=400)
"""Of the forum."""

_GIVEN = [
    "ada", "amir", "anna", "bela", "carla", "chidi", "dora", "emil", "enzo", "farah", "greta",
    "hugo", "ines", "ivan", "jonas", "julia", "kofi", "lena", "luis", "maja", "mila", "nadia",
    "noor", "olga", "omar", "paul", "rosa", "samir", "tilda", "yuki",
]  # fmt: skip
_FAMILY = [
    "berg", "castro", "diaz", "eriksen", "fischer", "grant", "haddad", "ito", "jansen", "kovac",
    "lindgren", "mensah", "novak", "okafor", "petrov", "quinn", "rossi", "sato", "toth", "ueda",
    "vogel", "weber", "yilmaz", "zhou",
]  # fmt: skip

_THINGS = (
    "the old railway path", "rye bread", "my first beehive", "the library's reading room",
    "a bicycle from 1978", "the allotment behind the mill", "repairing a valve radio",
    "the Thursday market", "a compost heap that smells", "swimming in the river in October",
    "the choir's spring concert", "learning to sharpen knives", "the swifts under our roof",
    "a rain barrel that leaks", "the night train to the coast", "sourdough in a cold kitchen",
    "the chess evening", "a pear tree that never bears", "the new bus timetable",
    "knitting socks without a pattern", "the telescope on the school's roof",
    "grandmother's plum cake",
)  # fmt: skip
_TITLES = (
    "Notes on {thing}", "A question about {thing}", "What nobody told me about {thing}",
    "Who else cares about {thing}?", "{thing}, one year later", "In praise of {thing}",
    "Three mistakes with {thing}", "Help wanted: {thing}", "A small report on {thing}",
    "Why I came back to {thing}", "{thing}: does it get easier?", "An afternoon with {thing}",
)  # fmt: skip
_OPENINGS = (
    "I did not expect to write about {thing}, but here we are.",
    "For some weeks now I have spent most evenings on {thing}.",
    "A neighbour asked me about {thing} yesterday, and I had no good answer.",
    "Some of you will remember my last attempt. This one is about {thing} again.",
    "It began with rain, as it usually does here, and ended with {thing}.",
    "Thank you for all the advice about {thing}. I have tried most of it.",
)
_MIDDLES = (
    "The first try went wrong in an instructive way.",
    "It took an hour longer than I had thought, and most of that was looking for the right tool.",
    "My sister says that I make it too complicated. She is probably right.",
    "There is a good chapter on it in a book that the library keeps on the second floor.",
    "In the end the simplest way was the best one.",
    "I measured twice, as one should, and was wrong both times.",
    "What helped was to stop, have tea, and look at it again in daylight.",
    "The man at the hardware shop knew at once what the matter was.",
    "It costs next to nothing, apart from patience.",
    "On the second day it rained sideways, and we went on all the same.",
    "Nobody had touched it since the eighties, by the look of the dust.",
    "I kept a list of what I changed, and it paid off.",
)
_ENDINGS = (
    "How do you do it? I would like to hear from anybody who has tried.",
    "If anyone wants to come along on Saturday: we meet at nine at the bridge.",
    "Pictures will follow as soon as I find the cable.",
    "I shall report again in spring.",
    "Corrections are welcome, as always.",
    "That is all I know. It is not much, but it works.",
)


def make_accounts(random: Random, number: int, now: datetime, password_hash: str) -> list[Account]:
    """So many accounts, the first as old as the forum, all with the same password."""
    names = [f"{given}-{family}" for given in _GIVEN for family in _FAMILY]
    random.shuffle(names)
    return [
        Account(User(id, _name(names, id), now - _AGE * (1 - (id - 1) / number)), password_hash)
        for id in range(1, number + 1)
    ]


def _name(names: list[str], id: int) -> str:
    turn, place = divmod(id - 1, len(names))
    return f"{names[place]}{turn + 1 if turn else ''}"


def make_articles(
    random: Random, number: int, now: datetime, users: list[User]
) -> Iterator[Article]:
    """So many articles, the oldest first and ever more of them, by users who were there by then."""
    for id in range(1, number + 1):
        age = _AGE * (1 - (id - random.random()) / number) ** 2
        posted = now - min(age, _AGE - timedelta(minutes=1))
        there = (posted - (now - _AGE)) / _AGE * len(users)
        author = users[min(int(random.random() * there), len(users) - 1)]
        yield _article(random, id, posted, Author(author.id, author.username))


def _article(random: Random, id: int, posted: datetime, author: Author) -> Article:
    thing = random.choice(_THINGS)
    paragraphs = [
        [random.choice(_OPENINGS).format(thing=thing), *random.sample(_MIDDLES, 2)],
        *(random.sample(_MIDDLES, random.randint(2, 4)) for _ in range(random.randrange(3))),
        [random.choice(_ENDINGS)],
    ]
    title = random.choice(_TITLES).format(thing=thing)
    text = "\n\n".join(" ".join(sentences) for sentences in paragraphs)
    return Article(id, title[0].upper() + title[1:], text, posted, author)

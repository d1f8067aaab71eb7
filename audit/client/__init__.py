"""A client of the web API: typed, synchronous, honest about what is missing.

client    RepositoryClient: search, records, overview, export, live tail
options   ClientOptions: where the repository is, how to be let in, how patient to be
questions what it is asked, and how
answers   what it answers
faults    problem documents → audit.errors
"""

from audit.client.answers import Histogram, Message, Overview, Page, Record, Total
from audit.client.client import RepositoryClient
from audit.client.options import ClientOptions
from audit.client.questions import How, Question

__all__ = [
    "ClientOptions",
    "Histogram",
    "How",
    "Message",
    "Overview",
    "Page",
    "Question",
    "Record",
    "RepositoryClient",
    "Total",
]

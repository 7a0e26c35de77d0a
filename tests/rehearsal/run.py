"""A run of a workflow: its jobs, attempts and cancellation."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.rehearsal.act import Job
from tests.rehearsal.concurrency import Place
from tests.rehearsal.events import Event


@dataclass
class Run:
    """A workflow that runs, or ran, for an event."""

    id: str
    workflow: str
    event: Event
    started: float
    ended: float = 0
    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    attempt: int = 1
    cancelled: bool = False
    places: dict[str, Place] = field(default_factory=dict[str, Place])
    """Of the jobs that wait for their turn or run, those that a cancellation of the run ends."""

    @contextmanager
    def going(self) -> Generator[None]:
        """Note when it ends, in whatever way."""
        try:
            yield
        finally:
            self.ended = time.time()

    @property
    def title(self) -> str:
        """Tell what ran, and why."""
        again = f", attempt {self.attempt}" if self.attempt > 1 else ""
        return f"{self.workflow} for {self.event}{again}"

    @property
    def results(self) -> dict[str, str]:
        """Return how each job ended."""
        return {name: job.result for name, job in self.jobs.items()}


Runs = dict[str, Run]
"""Those that one thing that happened led to, by the workflow's file."""
Meanwhile = Callable[[Runs], object]
"""What somebody does while they run."""

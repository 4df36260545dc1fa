"""One run of the golden engine on the accelerator's clock: where it is, what it waits for, how it ends."""

from dataclasses import dataclass

from ascnode_gateware.device.jobs import Jobs
from ascnode_gateware.device.plan import Ending, Plan, Segment
from ascnode_gateware.device.stream import StreamBuffer
from ascnode_gateware.registers.table import ErrorCode

_UNIT_CYCLES = 256  # of register WATCHDOG


@dataclass(frozen=True)
class Outcome:
    """How a run ended: an error, or none."""

    error: ErrorCode


@dataclass
class Controls:
    """Registers that act on a run while it goes."""

    throttle: int = 0
    watchdog: int = 0
    single_step: bool = False


class Run:
    """From START on. Time passes with `advance`; a job's words are in memory when its last cycle is over.

    `fails_at`: the cycle in which the flash gives up, and with what code.
    """

    def __init__(
        self,
        plan: Plan,
        jobs: Jobs,
        stream: StreamBuffer,
        controls: Controls,
        fails_at: tuple[int, ErrorCode] | None = None,
    ) -> None:
        self._plan, self._jobs, self._stream = plan, jobs, stream
        self._controls, self._fails_at = controls, fails_at
        self._index = 0  # of the segment under way
        self._done = 0  # cycles of it
        self._waited = 0  # cycles without progress
        self._pixels = 0
        self.cycles = 0
        self.layers = 0
        self._throttled = 0
        self.paused = False
        self.outcome: Outcome | None = None

    @property
    def pixels(self) -> int:
        return self._pixels + self._part(self._segment.pixels)

    @property
    def throttled(self) -> int:
        return self._throttled + self._part(self._segment.throttled)

    @property
    def stalls(self) -> int:
        return max(0, self.cycles - self.pixels - self.throttled)

    @property
    def expected_cycles(self) -> int:
        """Of the whole run, had it no wait."""
        return self._plan.cycles

    def fetches(self, address: int) -> bool:
        """Whether the plan was made of this word."""
        return address in self._plan.fetched

    def advance(self, cycles: int) -> None:
        """Until `cycles` have passed, or a pause or the end has come."""
        end = self.cycles + cycles
        while self.cycles < end and not self.paused and self.outcome is None:
            self._move(end - self.cycles)
        if self.paused:
            self.cycles = end

    def resume(self) -> None:
        self.paused = False

    def stop(self, code: ErrorCode) -> None:
        self.outcome = Outcome(code)

    def replan(self, plan: Plan) -> None:
        """Goes on in a plan of other cycles, at the same place of the same job."""
        before, throttled = self._segment.cycles, self.throttled
        self._plan = plan
        self._index = min(self._index, len(plan.segments))
        self._done = self._done * self._segment.cycles // before
        self._throttled = throttled - self._part(self._segment.throttled)

    @property
    def _segment(self) -> Segment:
        """The one under way; the program's end counts as one."""
        segments = self._plan.segments
        return segments[self._index] if self._index < len(segments) else self._plan.tail

    def _move(self, most: int) -> None:
        """Some cycles, at most `most`, at least one."""
        fails_in = self._fails_at[0] - self.cycles if self._fails_at else most + 1
        room = self._goal() - self._done
        if room <= 0:
            self._wait(min(most, fails_in), fails_in)
            return
        step = max(1, min(most, room, fails_in))
        self._waited = 0
        self._done += step
        self.cycles += step
        self._stream.progress = self._stream.taken + self._part(self._segment.stream_words)
        if self._done == self._segment.cycles:
            self._arrive()
        self._fail_if(fails_in, step)

    def _goal(self) -> int:
        """The cycle of the segment up to which the stream reaches."""
        segment, there = self._segment, self._stream.available - self._stream.taken
        if there >= segment.stream_words:
            return segment.cycles
        return there * segment.cycles // segment.stream_words

    def _wait(self, most: int, fails_in: int) -> None:
        """For words of the stream. Ticks come each 256 cycles of the run; the one behind the last unit is the end."""
        limit, step = self._controls.watchdog, most
        if limit:
            since = self.cycles - self._waited
            over = (since // _UNIT_CYCLES + limit + 1) * _UNIT_CYCLES
            step = min(most, max(1, over - self.cycles))
            if step == over - self.cycles:
                self.stop(ErrorCode.WATCHDOG)
        step = max(1, step)
        self._waited += step
        self.cycles += step
        self._fail_if(fails_in, step)

    def _fail_if(self, fails_in: int, step: int) -> None:
        if self._fails_at and step >= fails_in and self.outcome is None:
            self.stop(self._fails_at[1])

    def _arrive(self) -> None:
        """At a segment's end."""
        if self._index == len(self._plan.segments):
            self._end()
            return
        segment, taken = self._segment, self._stream.taken
        self._jobs.run(segment)
        self._stream.taken = self._stream.progress = taken + segment.stream_words
        self._pixels += segment.pixels
        self._throttled += segment.throttled
        self._index, self._done = self._index + 1, 0
        self.layers = (self.layers + segment.job.layer_end) & 0xFF
        self.paused = bool(segment.job.layer_end and self._controls.single_step)

    def _end(self) -> None:
        code = {Ending.END: ErrorCode.NONE, Ending.OPCODE: ErrorCode.OPCODE}.get(self._plan.ending)
        if code is None:
            self._done = 0
        else:
            self.stop(code)

    def _part(self, whole: int) -> int:
        return whole * self._done // max(1, self._segment.cycles)

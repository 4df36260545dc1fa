"""Runs jobs on the device's memory, one by one; the same job on the same words is looked up."""

from ascnode_gateware.device.memo import Addresses, Memo
from ascnode_gateware.device.plan import Segment
from ascnode_gateware.device.stream import StreamBuffer
from ascnode_gateware.program.access_log import AccessLog
from ascnode_gateware.program.executor import Engine
from ascnode_gateware.program.executor_arithmetic import ExecutionError
from ascnode_gateware.program.job import Job, Opcode
from ascnode_gateware.program.program import Words

Result = tuple[Addresses, Words]  # what a job wrote
Results = Memo[Result]


class Jobs:
    """`memory` is changed in place. A job that the contract leaves open goes as far as it can."""

    def __init__(self, memory: Words, stream: StreamBuffer, results: Results) -> None:
        self._memory, self._stream, self._results = memory, stream, results
        self._log = AccessLog()
        self._engine = Engine(memory, stream, self._log)
        self._tables: bytes | None = None

    def run(self, segment: Segment) -> None:
        """All that the job writes."""
        job = segment.job
        if not segment.runs:
            return
        if job.opcode == Opcode.LOAD or job.stream:
            self._compute(segment.address, job)
            if job.opcode == Opcode.LOAD:
                self._tables = self._memory[self._log.read].tobytes()
            return
        key = (segment.address, job, self._tables if job.add else None)
        found = self._results.find(key, self._memory)
        if found is None:
            before = self._memory.copy()
            self._compute(segment.address, job)
            found = self._log.written, self._memory[self._log.written]
            self._results.keep(key, before, self._log.read, found)
        self._memory[found[0]] = found[1]

    def _compute(self, address: int, job: Job) -> None:
        self._log.clear()
        try:
            self._engine.run(address, job)
        except ExecutionError:
            pass

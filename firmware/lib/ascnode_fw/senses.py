"""Between plant and flight software: words of a plant in the host, and sensors that are not well. Bench only."""

from array import array

from ascnode_fw.compat import const

TYPE_CHECKING = False  # type checkers take it for true
if TYPE_CHECKING:
    from ascnode_fw.plant.model import Plant

# words: for each of five sensors a mask and an offset, then what a plant in the host gave
_KEEP = const(0)
_OFFSET = const(5)
_GIVEN = const(10)
_GIVEN_CONDITIONS = const(15)
_SIZE = const(16)
_WHOLE = const(0xFFF)


class Senses:
    """`hosted`: the plant runs in the host; `plain`: it does not, and all sensors are well."""

    def __init__(self) -> None:
        self.words = array("i", bytes(4 * _SIZE))
        self.hosted = False
        self.plain = True
        self.restart()

    def restart(self) -> None:
        # All well.
        for i in range(_SIZE):
            self.words[i] = 0 if i >= _OFFSET else _WHOLE
        self.look()

    def host(self, hosted: bool) -> None:
        self.hosted = hosted
        self.look()

    def look(self) -> None:
        # The words were written.
        self.plain = not self.hosted
        for i in range(_OFFSET):
            if self.words[_KEEP + i] != _WHOLE or self.words[_OFFSET + i]:
                self.plain = False

    def give(self, words: "tuple[int, ...]") -> None:
        # Sensor words and conditions of the plant in the host, for the period that comes.
        for i in range(len(words)):
            self.words[_GIVEN + i] = words[i]

    def disturb(self, sensor: int, keep: int, offset: int) -> None:
        # A sensor's words are cut to a mask, then moved by an offset: (0, value) sticks, (0xFFF, 0) is well.
        self.words[_KEEP + sensor % _OFFSET] = keep
        self.words[_OFFSET + sensor % _OFFSET] = offset
        self.look()

    def sample(self, plant: "Plant", counts: "array[int]") -> int:
        # What flight software gets to see; the plant's conditions since the last time.
        words = self.words
        if self.hosted:
            for i in range(_OFFSET):
                counts[i] = words[_GIVEN + i]
            conditions = words[_GIVEN_CONDITIONS]
        else:
            plant.sample(counts)
            conditions = plant.take_events()
        for i in range(_OFFSET):
            counts[i] = max(0, min(_WHOLE, (counts[i] & words[_KEEP + i]) + words[_OFFSET + i]))
        return conditions

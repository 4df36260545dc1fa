"""Transaction-level model of the memory behind the port."""

from gateware.spi.monitor import Access


class MemoryModel:
    """32K words; each request returns the accesses that it makes on the bus."""

    SIZE = 0x8000

    def __init__(self):
        self._words = {}

    def write(self, address, words):
        made = [Access((address + i) % self.SIZE, word) for i, word in enumerate(words)]
        self._words.update({access.address: access.word for access in made})
        return made

    def read(self, address, count):
        return [Access((address + i) % self.SIZE) for i in range(count)]

    def words(self, address, count):
        """Contents; every word must have been written."""
        return tuple(self._words[(address + i) % self.SIZE] for i in range(count))

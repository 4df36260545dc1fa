"""Everything that a [[fault]] table can be: what is out of the network, and what befalls boards."""

from typing import Annotated

from pydantic import Field

from ascnode.faults.schedule import Board, Clock, Radio, Sensor, Sky, Upset, Wire
from ascnode.scenario.tables.policy import Fault

AnyFault = Annotated[Fault | Radio | Wire | Board | Sensor | Upset | Sky | Clock, Field(discriminator="kind")]

"""What the environments on roads say alike about the stream of orders that their tasks are taken from."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from crowdgym.configs.loading import as_names, as_text

OrdersName = Literal["drawn", "replay"]
DataPart = Literal["payments", "deadlines", "quantities", "workers"]

Orders = Annotated[
    OrdersName,
    Field(
        description="drawn: tasks are orders drawn from the window; replay: task i is order i of the window of one day"
    ),
]
Days = Annotated[
    str,
    BeforeValidator(as_text),
    Field(
        description="days of the orders: all, each (a day an episode), or zones such as 1..5,6..7 or dates "
        "(a zone an episode)"
    ),
]
FromData = Annotated[
    Literal["all"] | tuple[DataPart, ...],
    BeforeValidator(as_names),
    Field(
        description="parts that are taken from the dataset, not drawn: payments, deadlines, quantities, workers, or all"
    ),
]

"""The shape of one two-tower model: all that is needed, beside its weights, to build it again."""

from dataclasses import asdict, dataclass

from contracts.settings import TwoTowerSettings


@dataclass(frozen=True)
class TableSizes:
    """Rows of each embedding table, the shared row 0 of unknown values included."""

    users: int
    items: int
    streamers: int
    categories: int


@dataclass(frozen=True)
class ModelConfig:
    """Hyper-parameters of the towers."""

    sizes: TableSizes
    dim: int
    history_weight: float
    id_weight: float
    pooling: str = "mean"

    @classmethod
    def from_settings(cls, settings: TwoTowerSettings, sizes: TableSizes) -> "ModelConfig":
        return cls(sizes, settings.dim, settings.history_weight, settings.id_weight, settings.pooling)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, object]) -> "ModelConfig":
        sizes = values["sizes"]
        if not isinstance(sizes, dict):
            raise TypeError(f"sizes is {type(sizes).__name__}, expected a dict")
        return cls(**{**values, "sizes": TableSizes(**sizes)})  # type: ignore[arg-type]

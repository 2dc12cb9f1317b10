"""Settings of the models."""

from pydantic import Field

from contracts.settings.section import Section


class TwoTowerSettings(Section):
    """Two-tower retrieval."""

    train_days: int = Field(28, ge=1, description="Days of examples.")
    dim: int = Field(64, ge=1, description="Width of the shared embedding space.")
    batch_size: int = Field(1_024, ge=2, description="Also the in-batch negatives; 2,048 was worse on KuaiRand.")
    epochs: int = Field(1, ge=1, description="Passes before the last day is met; more overfit the made world.")
    final_epochs: int = Field(1, ge=0, description="Passes that include the last day, which is held out until then.")
    learning_rate: float = Field(0.1, gt=0, description="Row-wise Adagrad of the tables; small rates miss rare rows.")
    dense_learning_rate: float = Field(0.001, gt=0, description="Adam of the few dense layers.")
    temperature: float = Field(0.1, gt=0, description="0.2 cost 17 % NDCG on Gowalla (BENCHMARKS.md A).")
    learns_temperature: bool = Field(False, description="Go on from there by gradient, down to 0.01.")
    uniform_negatives: int = Field(0, ge=0, description="Of a batch, drawn uniformly beside the stream's.")
    hard_negative_weight: float = Field(0.0, ge=0, description="Shown, not watched: so many average negatives.")
    log_q: str = Field("counts", pattern="^(counts|streaming|off)$", description="Off costs a third of NDCG (same).")
    history_weight: float = Field(0.95, ge=0, le=1, description="Share of the history in the user's vector.")
    id_weight: float = Field(0.05, ge=0, le=1, description="Share of the user's id: most users have few examples.")
    id_dropout: float = Field(0.05, ge=0, lt=1, description="Share of ids shown as unknown, so that new ids work.")
    history_dropout: float = Field(0.0, ge=0, lt=1, description="Share of a history left out at a time: less overfit.")
    valued_weight: float = Field(1.0, ge=0, description="What a valued watch counts: the main label.")
    click_weight: float = Field(0.1, ge=0, description="What a play counts: many, and worth little each.")
    like_weight: float = Field(0.5, ge=0, description="What a like adds.")
    follow_weight: float = Field(0.5, ge=0, description="What a follow adds.")
    streamer_weight: float = Field(0.3, ge=0, description="What a VOD or clip counts for its streamer as target.")
    earlier_weight: float = Field(1.0, ge=0, description="What a view of untimed earlier history counts.")
    earlier_plain_weight: float = Field(0.3, ge=0, description="The same where it was known not to be valued.")
    pooling: str = Field("mean", pattern="^(mean|attention)$", description="How a history becomes one vector.")
    history_length: int = Field(50, ge=1, description="Newest items of each pooled history.")
    seed: int = Field(0, description="Of initial weights, of the order of examples and of dropout, a stream each.")
    products: str = Field("float32", pattern="^(float32|bfloat16)$", description="What the loss's products multiply.")
    device: str = Field("auto", pattern="^(auto|cpu|cuda)$", description="`auto` takes CUDA where there is one.")
    candidates: int = Field(200, ge=1, description="Contents, and streamers, retrieved per user.")

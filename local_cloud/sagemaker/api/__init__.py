"""The actions of the SageMaker API, on plain values."""

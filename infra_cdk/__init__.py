"""The cloud resources as CDK constructs: one stack, two targets."""

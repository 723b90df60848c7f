"""What views show, as arrays with units: pure functions of a dataset and a selection."""

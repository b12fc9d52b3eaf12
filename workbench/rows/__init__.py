"""From results to what pictures and tables show: finished texts beside the numbers, in the reader's language."""

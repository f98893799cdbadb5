//! Files that were cut, overwritten or lost: what can't be read is named, the rest goes on.

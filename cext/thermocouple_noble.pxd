# Tables: nothing to type.

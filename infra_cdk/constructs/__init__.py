"""One construct per capability, in the order data meets them."""

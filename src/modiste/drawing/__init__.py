"""Pictures of designs: the details of a real product on the decoder's drawing."""

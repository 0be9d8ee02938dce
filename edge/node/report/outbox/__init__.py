"""What is to be reported, kept until the brokers have it."""

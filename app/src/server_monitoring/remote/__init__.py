"""A node's command, run from the control machine through ssh, as the inventory says.

Whoever sits there needs no place on the overlay, and no account of the brokers. Imports errors,
model; Ansible is asked as a program.
"""

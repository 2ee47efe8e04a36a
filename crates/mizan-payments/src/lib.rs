//! What a payment is: state machines, provider events, the provider contract, rollout rules.

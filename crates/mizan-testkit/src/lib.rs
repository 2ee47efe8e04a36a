//! Throwaway servers and a tester with verbs (tests only).

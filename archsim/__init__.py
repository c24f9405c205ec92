"""archsim."""

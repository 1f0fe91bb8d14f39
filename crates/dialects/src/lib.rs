//! Four vendors' documents, each lowered to the plan, and their requests and replies

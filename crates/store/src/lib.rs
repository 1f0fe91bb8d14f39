//! What outlives the process: generations, documents, secrets, audit

//! Delivers messages through a valid flow and asks for what it may not do

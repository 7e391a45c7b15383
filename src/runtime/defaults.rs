//! What holds where a file says nothing. Decides no value: which it is, each runtime says.

/// Puts a word in the place of none.
pub(super) fn or_word<T: AsRef<str> + From<&'static str>>(text: &mut T, word: &'static str) {
    if text.as_ref().is_empty() {
        *text = word.into();
    }
}

/// Puts a number in the place of 0.
pub(super) fn or_number<T: Default + PartialEq>(number: &mut T, wanted: T) {
    if *number == T::default() {
        *number = wanted;
    }
}

//! The picture of a user: initials on a colour, as a data URL.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The picture for a name.
pub(crate) fn of(name: &str) -> String {
    let hash = Sha256::digest(name.as_bytes());
    let mut initials = name.split_whitespace().filter_map(|word| word.chars().next());
    let first = initials.next().unwrap_or('?');
    let second = initials.next_back().or_else(|| name.chars().nth(1)).unwrap_or(first);
    // Letters alone: a name is not markup.
    let letters: String = [first, second]
        .into_iter()
        .flat_map(char::to_uppercase)
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"64\" height=\"64\"><rect fill=\"#{:02x}{:02x}{:02x}\" \
         width=\"64\" height=\"64\"/><text x=\"50%\" y=\"50%\" fill=\"#fff\" font-size=\"28\" \
         text-anchor=\"middle\" dominant-baseline=\"middle\">{letters}</text></svg>",
        hash[0], hash[1], hash[2]
    );
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(svg))
}

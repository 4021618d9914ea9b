//! `assent vendor` and `assent vendor-notice`: organisations that operate services, how their changes compare, and their
//! notices.

use clap::Subcommand;
use serde_json::json;
use wire::nouns as noun;

use crate::client::{Client, encode};
use crate::commands::platform::nouns::{Verbs, run_verb};
use crate::common::Common;
use crate::failure::Result;
use crate::output::{Output, array, text_of};

/// Vendors.
#[derive(Debug, Subcommand)]
pub enum Vendor {
    /// Add, list, show, change and end vendors.
    #[command(flatten)]
    Verb(Verbs<noun::Vendor>),
    /// Mail the address for notices of maintenance to a vendor's contacts.
    #[command(
        name = "mail-notice-address",
        after_help = "Example: assent vendor mail-notice-address cartwell"
    )]
    MailNoticeAddress {
        /// The vendor.
        #[arg(value_name = "KEY")]
        key: String,
    },
    /// Compare a vendor's changes with those of internal teams.
    #[command(after_help = "Example: assent vendor parity cartwell --days 180")]
    Parity {
        /// The vendor.
        #[arg(value_name = "KEY")]
        key: String,
        /// Work that began in so many days.
        #[arg(long, default_value_t = 90)]
        days: i64,
    },
}

/// Notices of vendors.
#[derive(Debug, Subcommand)]
pub enum VendorNotices {
    /// Set, list, show and change notices.
    #[command(flatten)]
    Verb(Verbs<noun::VendorNotice>),
    /// Draft the change that takes up a notice; its key is printed.
    #[command(name = "take-up", after_help = "Example: assent vendor-notice take-up 0198…")]
    TakeUp {
        /// The notice's id, as `list` shows it.
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Runs a command about notices of vendors.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn vendor_notice(notices: &VendorNotices, common: &Common, output: &Output) -> Result<u8> {
    match notices {
        VendorNotices::Verb(verbs) => run_verb(verbs, common, output),
        VendorNotices::TakeUp { id } => {
            let path = format!("/vendor-notices/{}/changes", encode(id));
            let notice = Client::new(common)?.post(&path, &json!({}))?.body;
            output.data(&notice, |output| output.line(&text_of(&notice, "change")));
            Ok(0)
        }
    }
}

/// Runs a command about vendors.
///
/// # Errors
/// The server's refusal, or why the request failed.
pub fn vendor(vendor: &Vendor, common: &Common, output: &Output) -> Result<u8> {
    match vendor {
        Vendor::Verb(verbs) => run_verb(verbs, common, output),
        Vendor::MailNoticeAddress { key } => {
            let path = format!("/vendors/{}/notice-address", encode(key));
            let done = Client::new(common)?.post(&path, &json!({}))?.body;
            output.data(&done, |output| {
                output.line(&format!("mailed to {}", text_of(&done, "contacts")));
            });
            Ok(0)
        }
        Vendor::Parity { key, days } => {
            let path = format!("/vendors/{}/parity?days={days}", encode(key));
            let found = Client::new(common)?.get(&path)?.body;
            output.data(&found, |output| {
                for row in array(&found, "measures") {
                    let side = |of: &str| format!("{} of {}", text_of(&row[of], "hits"), text_of(&row[of], "of"));
                    output.line(&format!(
                        "{}: {}; vendor {}, internal {}",
                        text_of(row, "measure"),
                        text_of(row, "verdict"),
                        side("vendor"),
                        side("internal")
                    ));
                }
            });
            Ok(0)
        }
    }
}

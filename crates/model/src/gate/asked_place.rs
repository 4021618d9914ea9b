//! The service and the environment of a gate check. Names that the directory does not have are kept as the client's text.

use crate::change::related_records::{AskedPlace, GateCheck};
use crate::core::ids::{EnvironmentKey, ServiceKey};
use crate::directory::snapshot::Directory;

impl GateCheck {
    /// The service and the environment as they were named.
    #[must_use]
    pub fn place(&self) -> (&str, &str) {
        match &self.asked_place {
            Some(asked) => (asked.asked_service.as_str(), asked.asked_environment.as_str()),
            None => (self.service.as_str(), self.environment.as_str()),
        }
    }

    /// The check with its names resolved now: the service may have been added after the check.
    #[must_use]
    pub fn with_place(mut self, directory: &Directory) -> Self {
        let (service, environment) = self.place();
        let (service, environment) = (service.to_owned(), environment.to_owned());
        let is_known = directory.services.contains_key(&ServiceKey::from(service.as_str()))
            && directory
                .environments
                .contains_key(&EnvironmentKey::from(environment.as_str()));
        if is_known {
            (self.service, self.environment, self.asked_place) = (service, environment, None);
            return self;
        }
        self.asked_place = Some(AskedPlace {
            asked_service: service,
            asked_environment: environment,
        });
        (self.service, self.environment) = (String::new(), String::new());
        self
    }
}

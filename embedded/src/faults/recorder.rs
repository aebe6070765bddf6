//! What passes wires, kept to tell which faults would change it.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use http::{Request, Response};
use ssoproof_deployment::Deployment;

use super::fault::{Link, Tampering};

/// One exchange as it passed a wire.
pub struct Exchange {
    /// The wire.
    pub link: Link,
    /// What was asked.
    pub request: Request<Bytes>,
    /// What was answered.
    pub answer: Response<Bytes>,
}

impl Exchange {
    /// Whether a wire with `tampering` would have carried something else.
    pub fn changed_by(&self, tampering: &Tampering, deployment: &Deployment) -> bool {
        let mut request = self.request.clone();
        let answered = (tampering.request)(&mut request, deployment);
        if answered.is_some() || !same_request(&request, &self.request) {
            return true;
        }
        let (asked, _) = request.into_parts();
        let mut answer = self.answer.clone();
        (tampering.response)(&asked, &mut answer, deployment);
        !same_answer(&answer, &self.answer)
    }
}

fn same_request(one: &Request<Bytes>, other: &Request<Bytes>) -> bool {
    (one.method(), one.uri(), one.headers(), one.body())
        == (other.method(), other.uri(), other.headers(), other.body())
}

fn same_answer(one: &Response<Bytes>, other: &Response<Bytes>) -> bool {
    (one.status(), one.headers(), one.body()) == (other.status(), other.headers(), other.body())
}

/// Keeps what passes wires. Clones share it.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<Exchange>>>);

impl Recorder {
    /// What has passed since the last call, in the order of the answers.
    pub fn take(&self) -> Vec<Exchange> {
        mem::take(&mut *self.kept())
    }

    pub(super) fn keep(&self, exchange: Exchange) {
        self.kept().push(exchange);
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderValue, LOCATION};
    use http::{StatusCode, request};
    use ssoproof_deployment::Deployment;

    use super::*;

    fn exchange() -> Exchange {
        let mut answer = Response::new(Bytes::from_static(b"Found"));
        *answer.status_mut() = StatusCode::FOUND;
        answer.headers_mut().insert(LOCATION, HeaderValue::from_static("/here"));
        let request = Request::builder().uri("/start?rd=1").body(Bytes::from_static(b"a=1")).unwrap();
        Exchange { link: Link::Authentik, request, answer }
    }

    fn deployment() -> Deployment {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/spacemusic");
        Deployment::load(folder.as_ref()).unwrap()
    }

    #[test]
    fn any_change_counts() {
        type Asks = fn(&mut Request<Bytes>, &Deployment) -> Option<Response<Bytes>>;
        type Answers = fn(&request::Parts, &mut Response<Bytes>, &Deployment);
        let asks: [Asks; 5] = [
            |request, _| {
                *request.uri_mut() = "/start".parse().unwrap();
                None
            },
            |request, _| {
                *request.method_mut() = http::Method::HEAD;
                None
            },
            |request, _| {
                request.headers_mut().insert("x-real-ip", HeaderValue::from_static("127.0.0.1"));
                None
            },
            |request, _| {
                *request.body_mut() = Bytes::new();
                None
            },
            |_, _| Some(Response::new(Bytes::new())),
        ];
        let answers: [Answers; 3] = [
            |_, answer, _| *answer.status_mut() = StatusCode::OK,
            |_, answer, _| drop(answer.headers_mut().remove(LOCATION)),
            |_, answer, _| *answer.body_mut() = Bytes::new(),
        ];
        let deployment = deployment();
        for request in asks {
            let tampering = Tampering { request, response: |_, _, _| () };
            assert!(exchange().changed_by(&tampering, &deployment));
        }
        for response in answers {
            let tampering = Tampering { request: |_, _| None, response };
            assert!(exchange().changed_by(&tampering, &deployment));
        }
        assert!(!exchange().changed_by(&Tampering::NONE, &deployment));
    }
}

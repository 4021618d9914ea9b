//! The API as a page to read, made from its OpenAPI 3.1 document. No script.

mod document;

use askama::Template;
use serde_json::{Value, json};

use crate::elements::filters;
use crate::elements::frame::document as html_document;
use crate::render;
use document::{Group, Shape, read_groups, read_shapes};

/// The page of the API.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "api.html")]
pub struct ApiPage {
    /// Where the assets are served.
    assets: String,
    /// Where the document itself is.
    document_url: String,
    title: String,
    version: String,
    description: String,
    groups: Vec<Group>,
    shapes: Vec<Shape>,
}

impl ApiPage {
    /// Reads an OpenAPI 3.1 document. Missing and malformed parts are left out, so a partial document still makes a page.
    #[must_use]
    pub fn new(openapi: &Value, document_url: impl Into<String>, assets: impl Into<String>) -> Self {
        let info = |name: &str| openapi["info"][name].as_str().unwrap_or_default().to_owned();
        let title = info("title");
        Self {
            assets: assets.into(),
            document_url: document_url.into(),
            title: if title.is_empty() { "API".to_owned() } else { title },
            version: info("version"),
            description: info("description"),
            groups: read_groups(openapi),
            shapes: read_shapes(openapi),
        }
    }

    /// The whole document.
    #[must_use]
    pub fn render(&self) -> String {
        html_document(&self.title, &self.assets, "open", &render(self))
    }

    /// Believable instances: empty, ordinary with odd texts in it.
    #[must_use]
    pub fn samples() -> Vec<Self> {
        vec![
            Self::new(&json!({}), "/api/openapi.json", "/assets"),
            Self::new(&sample_document(), "/api/openapi.json", "/assets"),
        ]
    }

    fn operation_count(&self) -> usize {
        self.groups.iter().map(|group| group.operations.len()).sum()
    }
}

fn sample_document() -> Value {
    let markup = crate::elements::sample::MARKUP;
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Assent API", "version": "1", "description": "Changes, approvals and gates. Every act of a page is here too."},
        "tags": [{"name": "changes", "description": "The lifecycle."}, {"name": "gate", "description": markup}],
        "paths": {
            "/api/v1/changes": {
                "get": {
                    "tags": ["changes"], "operationId": "list_changes", "summary": "List changes",
                    "description": "Cut by key: follow `next`.",
                    "parameters": [
                        {"name": "state", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}, "description": "Only these states."},
                        {"name": "limit", "in": "query", "schema": {"type": ["integer", "null"], "minimum": 1}}
                    ],
                    "responses": {"200": {"description": "A page of changes.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChangeList"}}}}}
                },
                "post": {
                    "tags": ["changes"], "operationId": "create_change", "summary": "Create a change",
                    "parameters": [{"$ref": "#/components/parameters/Key"}],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewChange"}, "example": {"title": "Customs reference", "kind": "normal"}}}},
                    "responses": {"201": {"description": "The change.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}}, "422": {"description": "What is invalid, all at once."}}
                }
            },
            "/api/v1/gate": {"get": {"tags": ["gate"], "summary": markup, "deprecated": true, "parameters": [{"name": markup, "in": "query", "required": true, "description": markup}], "responses": {"200": {"description": "Go."}, "403": {"description": "Stop."}}}}
        },
        "components": {
            "parameters": {"Key": {"name": "Idempotency-Key", "in": "header", "description": "Makes a repeat harmless.", "schema": {"type": "string"}}},
            "schemas": {
                "NewChange": {"type": "object", "required": ["title"], "properties": {
                    "title": {"type": "string", "description": "What will be different."},
                    "kind": {"type": "string", "enum": ["normal", "standard", "emergency"]},
                    "targets": {"type": "array", "items": {"$ref": "#/components/schemas/Target"}}}},
                "Target": {"type": "object", "description": "A service in an environment.", "properties": {"service": {"type": "string"}, "artifact": {"type": ["string", "null"]}}},
                "Change": {"allOf": [{"$ref": "#/components/schemas/NewChange"}, {"type": "object", "properties": {"key": {"type": "string"}}}]},
                "ChangeList": {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Change"}}, "next": {"oneOf": [{"type": "null"}, {"type": "string"}]}}}
            }
        }
    })
}

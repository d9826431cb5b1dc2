// The explorer of the API: Swagger UI on this service's own document.
SwaggerUIBundle({
  dom_id: "#explorer",
  url: "openapi.json",
  validatorUrl: null, // It would send the document to a server on the internet.
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
});

package clinical

import "encoding/json"

// What tools take and give, as JSON Schema 2020-12.
var (
	listInput = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{` +
		`"codes":{"type":"array","items":{"type":"string"},"maxItems":50,"description":"Codes of biomarkers; without them, all"},` +
		`"category":{"type":"string","description":"A category of the catalogue, such as lipids"},` +
		`"statuses":{"type":"array","items":{"type":"string","enum":["normal","low","high","critical"]}},` + rest + `}}`)
	latestInput = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{` +
		`"category":{"type":"string","description":"A category of the catalogue, such as lipids"},` +
		`"statuses":{"type":"array","items":{"type":"string","enum":["normal","low","high","critical"]}},` + rest + `}}`)
	historyInput = json.RawMessage(`{"type":"object","additionalProperties":false,"required":["code"],"properties":{` +
		`"code":{"type":"string","description":"The biomarker's code, from search_biomarkers"},` + rest + `}}`)
	searchInput = json.RawMessage(`{"type":"object","additionalProperties":false,"required":["query"],"properties":{` +
		`"query":{"type":"string","minLength":1,"maxLength":100,"description":"A part of a name, code or category, such as glucose"}}}`)
	listOutput = json.RawMessage(`{"type":"object","required":["biomarkers","count","next_cursor"],"properties":{` +
		`"biomarkers":{"type":"array","items":{"type":"object","required":["id","biomarker_code","biomarker_name","value","value_text","unit","status","collected_at"],"properties":{` +
		`"id":{"type":"string"},"biomarker_code":{"type":"string"},"biomarker_name":{"type":"string"},"value":{"type":["number","null"],"description":"With the laboratory's digits"},` +
		`"value_text":{"type":["string","null"],"description":"What is no plain number"},"unit":{"type":["string","null"]},"reference_low":{"type":["number","null"]},"reference_high":{"type":["number","null"]},` +
		`"status":{"type":["string","null"]},"collected_at":{"type":"string"}}}},` +
		`"count":{"type":"integer","description":"On this page"},"next_cursor":{"type":["string","null"]}}}`)
	searchOutput = json.RawMessage(`{"type":"object","required":["biomarkers","count"],"properties":{` +
		`"biomarkers":{"type":"array","items":{"type":"object","required":["code","name","category"]}},"count":{"type":"integer"}}}`)
	readsInput = json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{` +
		`"client_id":{"type":"string","description":"The reads of this app alone; without it, those of all"},` +
		`"limit":{"type":"integer","minimum":1,"maximum":100,"description":"50 without it"},` +
		`"cursor":{"type":"string","description":"next_cursor of the page before"}}}`)
	readsOutput = json.RawMessage(`{"type":"object","required":["data","next_cursor"],"properties":{` +
		`"data":{"type":"array","items":{"type":"object","required":["at","action","results","client_id","client_name"],"properties":{` +
		`"at":{"type":"string"},"action":{"type":"string"},"results":{"type":"integer","description":"How many lab results the app got"},` +
		`"client_id":{"type":"string"},"client_name":{"type":["string","null"],"description":"What its makers call it; null where it is not known any more"}}}},` +
		`"next_cursor":{"type":["string","null"]}}}`)
)

// rest is what all tools that read results take.
const rest = `"from":{"type":"string","description":"Collected at this time or later, as RFC 3339 or a date"},` +
	`"to":{"type":"string","description":"Collected before this time"},` +
	`"unit_system":{"type":"string","enum":["conventional","si"]},` +
	`"limit":{"type":"integer","minimum":1,"maximum":500},` +
	`"cursor":{"type":"string","description":"next_cursor of the page before"}`

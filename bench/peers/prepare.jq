# jq -cn -f prepare.jq CORPUS.jsonl > REQUESTS.jsonl
foreach inputs as $record (-1; . + 1;
  {key: ("000000000000" + tostring)[-12:],
   request: {content: {parts: [{text: $record.text}]}, outputDimensionality: 768}})

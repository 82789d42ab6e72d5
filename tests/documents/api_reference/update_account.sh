curl -X PATCH $BASE/v1/providers/account \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "company_name": "Acme Weather Inc." }'

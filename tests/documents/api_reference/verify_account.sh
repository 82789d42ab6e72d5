curl -X POST $BASE/v1/providers/account/verify \
  -H "Content-Type: application/json" \
  -d '{ "token": "'"$EMAIL_TOKEN"'" }'

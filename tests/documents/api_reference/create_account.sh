curl -X POST $BASE/v1/providers/account \
  -H "Content-Type: application/json" \
  -d '{
    "company_name": "'"$COMPANY_NAME"'",
    "email": "'"$EMAIL"'",
    "password": "'"$PASSWORD"'"
  }'

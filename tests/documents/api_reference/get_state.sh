curl -X GET $BASE/v1/providers/capabilities/$CAPABILITY_ID/state \
  -H "Authorization: Bearer $TOKEN"

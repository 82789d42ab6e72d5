curl -X POST $BASE/v1/providers/packages/$PACKAGE_ID/install \
  -H "Authorization: Bearer $TOKEN"

curl -X POST $BASE/v1/space/marketplace/$PACKAGE_ID/install \
  -H "Authorization: Bearer $TOKEN"

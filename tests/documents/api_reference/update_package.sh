curl -X PATCH $BASE/v1/providers/packages/manage/$PACKAGE_ID \
  -H "Authorization: Bearer $TOKEN" \
  -H "Content-Type: application/json" \
  -d '{ "description": "Current weather for every place on earth" }'
